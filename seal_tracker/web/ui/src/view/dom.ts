// Elements without a framework. Text is always set as text, never as markup.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

function assign(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

/** An HTML element; a function among the attributes listens to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** A pictogram of `size` px from path data drawn on a 16 × 16 grid; hidden from screen readers unless it has a title. */
export function icon(path: string, className: string, size = 16): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  assign(svg, { viewBox: "0 0 16 16", width: size, height: size, class: className, "aria-hidden": "true", focusable: "false" });
  const shape = document.createElementNS(namespace, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

/** A time as the reader's clock shows it, with UTC on hover. */
export function time(text: string, iso: string, className = ""): HTMLTimeElement {
  return h("time", { datetime: iso, title: iso.replace("T", " ").replace("Z", " UTC"), class: className || null }, text);
}
