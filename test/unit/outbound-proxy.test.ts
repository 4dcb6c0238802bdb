import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { readOutboundProxy } from "../../src/runtime/outbound-proxy.ts";

type Environment = Readonly<Record<string, string>>;

function proxyOf(environment: Environment) {
  const read = readOutboundProxy(environment);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

/** Whether a request bypasses the proxy. */
function bypasses(noProxy: string, address: string): boolean {
  const proxy = proxyOf({ HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: noProxy });
  assert.ok(proxy);
  return proxy.isBypassed(new URL(address));
}

const VAULT = "https://demo.vault.azure.net/";

describe("the outbound proxy", () => {
  test("is none without a variable, and none by an empty one", () => {
    assert.equal(proxyOf({}), undefined);
    assert.equal(proxyOf({ HTTPS_PROXY: "", NO_PROXY: "*" }), undefined);
  });

  for (const [environment, expected] of [
    [{ HTTPS_PROXY: "http://a:1", https_proxy: "http://b:1", ALL_PROXY: "http://c:1", HTTP_PROXY: "http://d:1" }, "a:1"],
    [{ https_proxy: "http://b:1", HTTP_PROXY: "http://d:1" }, "b:1"],
    [{ HTTPS_PROXY: "", https_proxy: "http://b:1" }, "b:1"],
    [{ all_proxy: "http://c:1", HTTP_PROXY: "http://d:1" }, "c:1"],
    [{ HTTP_PROXY: "http://d:1" }, "d:1"],
    [{ http_proxy: "proxy.example:3128" }, "proxy.example:3128"],
    [{ HTTPS_PROXY: "10.0.0.1:3128" }, "10.0.0.1:3128"],
    [{ HTTPS_PROXY: "https://secure.example" }, "secure.example"],
  ] as const satisfies readonly (readonly [Environment, string])[]) {
    test(`of ${JSON.stringify(environment)} is ${expected}`, () => assert.equal(proxyOf(environment)?.url.host, expected));
  }

  for (const text of ["socks5://proxy.example:1080", "http://", "http://user:hunter2@:99999", "ftp://hunter2", ":::"]) {
    test(`${JSON.stringify(text)} is an error that names the variable and shows nothing of it`, () => {
      const read = readOutboundProxy({ https_proxy: text });
      assert.deepEqual(read, { ok: false, error: "https_proxy: not the address of an HTTP proxy; write http://<host>:<port>" });
    });
  }

  for (const [noProxy, address, expected] of [
    ["", VAULT, false],
    ["*", VAULT, true],
    ["other.example, *", VAULT, true],
    ["demo.vault.azure.net", VAULT, true],
    ["DEMO.Vault.Azure.Net", VAULT, true],
    ["vault.azure.net", VAULT, true],
    ["azure.net", VAULT, true],
    ["zure.net", VAULT, false],
    [".vault.azure.net", VAULT, true],
    ["*.vault.azure.net", VAULT, true],
    [".demo.vault.azure.net", VAULT, true],
    ["*.demo.vault.azure.net", VAULT, false],
    ["vault.azure.net:443", VAULT, true],
    ["vault.azure.net:8443", VAULT, false],
    [".vault.azure.net:443", VAULT, true],
    ["vault.azure.net:8443", "https://demo.vault.azure.net:8443/", true],
    ["10.0.0.0/8", "https://10.1.2.3/", true],
    ["10.0.0.0/8", "https://11.1.2.3/", false],
    ["10.0.0.0/8", VAULT, false],
    ["10.1.2.3", "https://10.1.2.3/", true],
    ["10.1.2.3:443", "https://10.1.2.3/", true],
    ["10.1.2.3:80", "https://10.1.2.3/", false],
    ["fd00::/8", "https://[fd00::1]/", true],
    ["fd00::1", "https://[fd00::1]/", true],
    ["[fd00::1]:443", "https://[fd00::1]/", true],
    ["10.0.0.0/33,nonsense/8,:443,", VAULT, false],
    ["", "https://localhost/", true],
    ["", "https://127.0.0.53:6443/", true],
    ["", "https://[::1]/", true],
  ] as const) {
    test(`with NO_PROXY ${JSON.stringify(noProxy)} is ${expected ? "not " : ""}used for ${address}`, () => {
      assert.equal(bypasses(noProxy, address), expected);
    });
  }

  test("reads no_proxy where NO_PROXY is not set", () => {
    const environment = { HTTPS_PROXY: "http://a:1", no_proxy: "azure.net" };
    assert.equal(proxyOf(environment)?.isBypassed(new URL(VAULT)), true);
    assert.equal(proxyOf({ ...environment, NO_PROXY: "other.example" })?.isBypassed(new URL(VAULT)), false);
  });
});
