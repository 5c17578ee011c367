// Pictures that a user may send: a few that come with the page, or a file, made small enough.

import { Refused } from "/phone/api.js";

export const BUNDLED = ["hills", "receipt", "cup", "ticket"].map((name) => `/phone/pictures/${name}.svg`);
export const AT_MOST = 10;

const SIDE = 1280;
const BYTES = 1000 * 1000;

// A JPEG of at most BYTES, as WeChat makes of pictures too.
export async function asPhoto(address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    throw new Refused("no picture", 0);
  }
  const scale = Math.min(1, SIDE / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  for (const quality of [0.88, 0.6, 0.3]) {
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= BYTES) return blob;
  }
  throw new Refused("the picture is too large", 0);
}
