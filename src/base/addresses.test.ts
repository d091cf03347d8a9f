import { describe, expect, it } from "vitest";
import { parseServerAddress, valueWithoutCredentials, withoutCredentials } from "./addresses.js";

describe("a server's address", () => {
  it.each([
    ["localhost:1234/v1", "http://localhost:1234/v1"],
    ["127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["[::1]:8080/v1/", "http://[::1]:8080/v1"],
    ["gpu-box:8000/v1", "http://gpu-box:8000/v1"],
    ["gpu.local:8000/v1", "http://gpu.local:8000/v1"],
    ["hf-mirror.com", "https://hf-mirror.com"],
    [" https://example.org/a/ ", "https://example.org/a"],
    ["HTTP://Example.org", "http://example.org"],
  ])("is read as users write it: %s", (given, address) => {
    expect(parseServerAddress(given, "X")).toEqual({ address });
  });

  it.each([
    ["http://user:pa%20ss@host/v1", "http://host/v1", "user:pa ss"],
    ["user:secret@host.example:99/v1", "https://host.example:99/v1", "user:secret"],
    ["https://:key@host", "https://host", ":key"],
    ["https://token@host", "https://host", "token:"],
    ["http://u:p@q@host", "http://host", "u:p@q"],
  ])("keeps credentials apart: %s", (given, address, pair) => {
    expect(parseServerAddress(given, "X")).toEqual({
      address,
      authorization: `Basic ${Buffer.from(pair).toString("base64")}`,
    });
  });

  it.each(["ftp://user:secret@host", "http://user:sec/ret@host", "http://", "", "http://a b", "file:///etc/passwd"])(
    "is refused without showing a secret: %s",
    (given) => {
      const refused = (): unknown => parseServerAddress(given, "HF_ENDPOINT");
      expect(refused).toThrow(/^HF_ENDPOINT is no address/);
      expect(refused).not.toThrow(/sec|user/);
    },
  );
});

describe("what is shown of addresses", () => {
  it.each([
    ["http://user:secret@host/v1", "http://host/v1"],
    ["cannot reach http://u:secret@host:1/v1, nor https://k@b.", "cannot reach http://host:1/v1, nor https://b."],
    ["http://u:sec@ret@host/x", "http://host/x"],
    ["http://u:sec/ret@host/x", "http://host/x"],
    ["u:secret@host:1234/v1", "host:1234/v1"],
    ["https://s3/x?X-Amz-Signature=secret&api-version=2", "https://s3/x?X-Amz-Signature=…&api-version=2"],
    ["https://s3/x?secret&api-version=2 is", "https://s3/x?…&api-version=2 is"],
    ["see http://host/v1?secret", "see http://host/v1?…"],
    ["https://host/@scope/x", "https://host/@scope/x"],
    ["mail me@example.org about http://host", "mail me@example.org about http://host"],
    ["Failed to parse URL from http://user:secret@host:port", "Failed to parse URL from http://host:port"],
  ])("%s", (given, shown) => {
    expect(withoutCredentials(given)).toBe(shown);
    expect(withoutCredentials(shown)).toBe(shown);
  });

  it("holds for a whole configuration, and leaves other texts alone", () => {
    const prompt = "Which of A?B=C and http://u:p@host/ is it?";
    expect(
      valueWithoutCredentials({ prompt, list: [{ endpoint: "http://u:secret@host/v1?key=secret" }], n: 1, none: null }),
    ).toEqual({ prompt, list: [{ endpoint: "http://host/v1?key=…" }], n: 1, none: null });
  });

  it("takes a megabyte of anything", () => {
    for (const unit of ["a", "://", "@", "?a=", "a.", "://a@", "&", "\u00fc"])
      expect(withoutCredentials(`${unit.repeat(1 << 20)} end`)).toMatch(/ end$/);
  });
});
