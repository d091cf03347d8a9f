import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** A real Chromium's path: Debian's package, or what CHROMIUM names; undefined where there is none. */
export const chromiumPath = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path && existsSync(path));
if (!chromiumPath) console.warn("Skipped: tests in a browser need Chromium (Debian's package chromium)");

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox"] });

/** What a page said and asked for that it should not have. */
export interface Watched {
  readonly page: Page;
  /** Errors, warnings, and requests to anything but the page's own address. */
  readonly complaints: string[];
}

export async function watchedPage(browser: Browser, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Watched> {
  const page = await browser.newPage(options);
  // A busy machine is slow; what hangs, hangs for good.
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!/^(file:|data:|http:\/\/127\.0\.0\.1)/.test(request.url())) complaints.push(`request: ${request.url()}`);
  });
  return { page, complaints };
}
