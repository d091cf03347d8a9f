import { describe, expect, it } from "vitest";
import { isLoopback, whyForeign } from "./local-requests.js";

const local = { host: "127.0.0.1" };

describe("requests to a server on this machine", () => {
  it.each(["127.0.0.1", "127.0.0.1:4321", "localhost:4321", "LOCALHOST:80", "[::1]:4321", "127.8.9.1:1"])(
    "are answered under its own name %s",
    (host) => {
      expect(whyForeign({ host }, local)).toBeUndefined();
      expect(whyForeign({ host, origin: `http://${host}` }, local)).toBeUndefined();
    },
  );

  it.each([
    undefined,
    "",
    "evil.example",
    "evil.example:4321",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example@127.0.0.1",
    "127.0.0.1:4321, evil.example",
    "127.0.0.1:port",
    "[evil]:80",
    "192.168.0.7:4321",
    "localhost evil.example",
    "localhost\u001b[31m",
  ])("are refused under the name %s", (host) => {
    expect(whyForeign({ host }, local)).toMatch(/Host header|does not answer to the name/);
  });

  it.each([
    "http://evil.example",
    "null",
    "https://localhost.evil.example",
    "http://127.0.0.1:9999",
    "file://",
    "chrome-extension://abc",
  ])("are refused to a page of %s", (origin) => {
    expect(whyForeign({ host: "127.0.0.1:4321", origin }, local)).toMatch(/may not ask/);
    expect(whyForeign({ host: "gpu.lan", origin }, { host: "0.0.0.0", allowedHosts: ["gpu.lan"] })).toMatch(
      /may not ask/,
    );
  });

  it("are refused to what another site's page loads without a script, and let in where a link is followed", () => {
    const from = (site: string, mode: string): string | undefined =>
      whyForeign({ host: "localhost:1", "sec-fetch-site": site, "sec-fetch-mode": mode }, local);
    expect(from("cross-site", "no-cors")).toMatch(/other sites/);
    expect(from("same-site", "no-cors")).toMatch(/other sites/);
    expect(from("cross-site", "navigate")).toBeUndefined();
    expect(from("same-origin", "cors")).toBeUndefined();
    expect(from("none", "navigate")).toBeUndefined();
  });

  it("of other machines name it by an address, by the name that it listens on, or by one that is allowed", () => {
    const open = { host: "0.0.0.0" };
    expect(whyForeign({ host: "192.168.0.7:1234" }, open)).toBeUndefined();
    expect(whyForeign({ host: "[fe80::1]:1234" }, open)).toBeUndefined();
    expect(whyForeign({ host: "gpu.lan:1234" }, { host: "gpu.lan" })).toBeUndefined();
    expect(whyForeign({ host: "gpu.lan:1234" }, open)).toMatch(/does not answer to the name "gpu.lan"/);
    expect(whyForeign({ host: "GPU.lan:1234" }, { ...open, allowedHosts: ["gpu.LAN"] })).toBeUndefined();
    expect(whyForeign({ host: "gpu.lan.evil.example" }, { ...open, allowedHosts: ["gpu.lan"] })).toMatch(/the name/);
  });

  it("are let in from a page whose origin is allowed, and from no other", () => {
    const own = { ...local, allowedOrigins: ["https://lab.example"] };
    const from = (origin: string): string | undefined => whyForeign({ host: "localhost:1", origin }, own);
    expect(from("https://LAB.example")).toBeUndefined();
    for (const other of ["http://lab.example", "https://lab.example:8443", "https://lab.example.evil.example", "null"])
      expect(from(other)).toMatch(/may not ask/);
  });

  it("knows which addresses no other machine reaches", () => {
    expect(["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"].map(isLoopback)).not.toContain(
      false,
    );
    expect(["0.0.0.0", "::", "", "192.168.1.1", "127.evil.example", "localhost.evil"].map(isLoopback)).not.toContain(
      true,
    );
  });
});
