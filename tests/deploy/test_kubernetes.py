"""The rendered manifests are current, and each is one that an API server takes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from kubernetes_validate import utils

from tests.deploy.manifests import KUBERNETES, RENDERED, ROOT, Manifest, rendered

OLDEST = "1.30"
"""preStop.sleep is on by default from here."""

EXAMPLES = sorted((KUBERNETES / "examples").rglob("*.yaml"))


def newest() -> str:
    return str(kubernetes_validate.latest_version())


@pytest.fixture(scope="module", autouse=True)
def schemas_read_once() -> Iterator[None]:
    """Or all definitions of a version would be read anew for every manifest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


def ids(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


@pytest.mark.parametrize("name", RENDERED)
def test_what_is_rendered_is_what_kubectl_renders(name: str) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed; Debian has none that is new enough")
    source = KUBERNETES / RENDERED[name]

    made = subprocess.run([kubectl, "kustomize", source], check=True, capture_output=True).stdout

    committed = (KUBERNETES / "rendered" / f"{name}.yaml").read_bytes()
    assert made == committed, "run deploy/kubernetes/render.sh"


def test_every_overlay_is_rendered() -> None:
    parts = {"base", "desired", "sqlite", "redis", "config", "keys"}
    folders = {path.parent for path in KUBERNETES.rglob("kustomization.yaml")}
    overlays = {folder for folder in folders if folder.name not in parts}
    assert overlays == {KUBERNETES / source for source in RENDERED.values()}
    assert {path.stem for path in (KUBERNETES / "rendered").iterdir()} == set(RENDERED)


@pytest.mark.parametrize("version", [OLDEST, newest()])
@pytest.mark.parametrize("name", RENDERED)
def test_every_manifest_fits_its_schema(name: str, version: str) -> None:
    for manifest in rendered(name):
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{ids(manifest)}: {error.message} at {list(error.path)}")


@pytest.mark.parametrize("name", RENDERED)
def test_no_object_stands_twice(name: str) -> None:
    seen = [ids(manifest) for manifest in rendered(name)]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("name", RENDERED)
def test_everything_is_in_our_namespace_and_says_whose_it_is(name: str) -> None:
    for manifest in rendered(name):
        if manifest["kind"] != "Namespace":
            assert manifest["metadata"]["namespace"] == "zhongkong", ids(manifest)
        if manifest["kind"] != "NetworkPolicy" or "labels" in manifest["metadata"]:
            labels = manifest["metadata"]["labels"]
            assert labels["app.kubernetes.io/part-of"] == "zhongkong", ids(manifest)


def documents_of_examples() -> list[Any]:
    return [
        pytest.param(document, id=f"{path.relative_to(ROOT)}:{ids(document)}")
        for path in EXAMPLES
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document and document["kind"] not in {"Kustomization", "Component"}
    ]


# What the definitions of these kinds demand; they are no part of Kubernetes' own schemas.
REQUIRED = {
    "external-secrets.io/v1/ExternalSecret": {"secretStoreRef", "target", "data"},
    "gateway.networking.k8s.io/v1/HTTPRoute": {"parentRefs", "hostnames", "rules"},
}


@pytest.mark.parametrize("manifest", documents_of_examples())
def test_every_example_has_what_its_kind_demands(manifest: Manifest) -> None:
    kind = f"{manifest['apiVersion']}/{manifest['kind']}"
    assert manifest["metadata"]["namespace"] == "zhongkong"
    if kind in REQUIRED:
        assert REQUIRED[kind] == set(manifest["spec"]) & REQUIRED[kind]
    else:
        kubernetes_validate.validate(manifest, newest(), strict=True)
