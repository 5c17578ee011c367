// Line icons on a grid of 24, drawn here.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  back: "M15 5l-7 7 7 7",
  keyboard: "M3.5 6.5h17v11h-17zM7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M8 14h8",
  chat: "M4 5h16v11h-8l-4 3.5V16H4zM8.5 10.5h.01M12 10.5h.01M15.5 10.5h.01",
  menu: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 9.5h8M8 12.5h8M8 15.5h8",
  bars: "M6 9h12M6 14h12",
  plus: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 8v8M8 12h8",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01",
  pin: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11zM12 7.8a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6z",
  voice: "M8 9.5a4 4 0 0 1 0 5M11.5 7a7.5 7.5 0 0 1 0 10M15 4.5a11 11 0 0 1 0 15",
  play: "M9 6.5v11l9-5.5z",
  music: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-2.5-2.5H9M19 16a2.5 2.5 0 1 1-2.5-2.5H19",
  link: "M10 14l4-4M8.5 11.5l-2 2a3.5 3.5 0 0 0 5 5l2-2M15.5 12.5l2-2a3.5 3.5 0 0 0-5-5l-2 2",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
  close: "M6 6l12 12M18 6L6 18",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  program: "M15.5 6.5a3 3 0 0 1 0 6c-1 0-1.5-.5-1.5-.5M8.5 17.5a3 3 0 0 1 0-6c1 0 1.5.5 1.5.5M14 9.5v-1a2 2 0 0 0-4 0v7a2 2 0 0 0 4 0z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  flag: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7.5v5.5M12 16.5h.01",
  globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
};

export function icon(name, size = 24) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: "icon" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
