// Serves the bundle with the fake under the policy that the shipped window has.

import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const ROOT = new URL("../../dist-fake/", import.meta.url).pathname;
const SHELL = new URL("../../../src-tauri/tauri.conf.json", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".woff": "font/woff",
};

/** The content security policy of the window, from the shell's own configuration. */
async function policy(): Promise<string> {
  const shell = JSON.parse(await readFile(SHELL, "utf8")) as {
    app: { security: { csp: Record<string, string> } };
  };
  return Object.entries(shell.app.security.csp)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join("; ");
}

/** Listens on a free port of this machine. */
export async function serve(): Promise<{ url: string; server: Server }> {
  const csp = await policy();
  const server = createServer((request, response) => {
    // Chromium asks for it, the window's web view does not.
    if (request.url === "/favicon.ico") return response.writeHead(204).end();
    const path = normalize(new URL(request.url ?? "/", "http://x").pathname);
    readFile(join(ROOT, path)).then(
      (body) => {
        response.setHeader("content-security-policy", csp);
        // Its name has the hash of what it holds: a page that goes from state to state reads it once.
        if (path.startsWith("/assets/")) response.setHeader("cache-control", "max-age=3600, immutable");
        response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
        response.end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
