"""Make deploy/monitoring/prometheus-rule.yaml, for the Prometheus operator, from alerts.yaml.

    python scripts/prometheus_rule.py

The text is moved, not parsed and written anew, so that its comments stay. One object for each
service, so that who doesn't run one can leave its object out. A test holds the file to alerts.yaml.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "monitoring"
SOURCE = FOLDER / "alerts.yaml"
TARGET = FOLDER / "prometheus-rule.yaml"

_HEADER = """\
# Made from alerts.yaml by scripts/prometheus_rule.py; change that file and run it again.
"""
_OBJECT = """\
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: zhongkong
spec:
  groups:
{group}"""
_GROUP = re.compile(r"^  - name: (\S+)\n(?:(?!  - ).*\n)+", re.MULTILINE)


def objects_of(alerts: str) -> str:
    """The text of prometheus-rule.yaml for this text of alerts.yaml."""
    _, _, groups = alerts.partition("\ngroups:\n")
    return _HEADER + "".join(
        _OBJECT.format(name=found[1], group=_indented(found[0]))
        for found in _GROUP.finditer(groups)
    )


def _indented(group: str) -> str:
    lines = group.rstrip("\n").split("\n")
    return "".join(f"  {line}\n" if line else "\n" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(objects_of(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
