import { type Html, html, raw } from "./html.js";
import { reportScript } from "./page-script.js";
import { reportStyle } from "./page-style.js";

/** A part of the page: it has a place in the contents and a heading of its own. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** What stands at a page's top; the viewer puts the way back to its list in its place. */
export const BRAND = `<span class="brand">mmmlu-lab</span>`;

/**
 * Marks the page's own scripts, so that a server that lets no other run can tell them. A report's file keeps the mark
 * as it is.
 */
export const NONCE = `data-own="mmmlu-lab"`;

/**
 * A page of its own: one file, no network, light and dark, printable, usable by keyboard and screen reader.
 * @param options.broad for a table of many columns
 */
export function page(
  title: string,
  lead: Html,
  sections: readonly Section[],
  options: { scripts?: Html; extraHead?: Html; foot?: string; broad?: boolean } = {},
): string {
  return `${html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(reportStyle)}</style>
${options.extraHead}
</head>
<body class="${options.broad ? "broad" : ""}">
<a class="skip" href="#main">Skip to the content</a>
<header>
<div class="bar">${raw(BRAND)}<button type="button" id="theme" aria-label="Switch between light and dark">◐</button></div>
${lead}
${sections.length > 1 ? html`<nav aria-label="Contents"><ul>${sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`)}</ul></nav>` : ""}
</header>
<main id="main">
${sections.map(
  (
    section,
  ) => html`<section id="${section.id}" aria-labelledby="${section.id}-title"><h2 id="${section.id}-title">${section.title}</h2>
${section.body}</section>`,
)}
</main>
<footer>${options.foot ?? "Written by mmmlu-lab. This page is one file and asks nothing of a network."}</footer>
${options.scripts}
<script ${raw(NONCE)}>${raw(reportScript)}</script>
</body>
</html>`}\n`;
}
