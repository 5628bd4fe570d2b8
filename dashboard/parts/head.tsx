import { useLine } from "../data/hooks.js";
import { hrefOf } from "../data/route.js";

const places = [
  ["runs", "Runs"],
  ["audits", "Audits"],
  ["paper", "Paper"],
  ["playground", "Playground"],
  ["work", "Work"],
] as const;

const said = {
  live: "live",
  connecting: "connecting",
  broken: "the server does not answer; trying again",
} as const;

/** Head of the page: where one can go, and how the line to the server is. */
export function Head({ place }: { readonly place: string }) {
  const line = useLine();
  return (
    <header>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        To the content
      </button>
      <span class="brand">sqa</span>
      <nav aria-label="Views">
        {places.map(([name, title]) => (
          <a key={name} href={hrefOf(name)} aria-current={place === name ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <span class={`line line-${line ?? "none"}`} role="status">
        {line === undefined ? "" : said[line]}
      </span>
    </header>
  );
}
