import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseCertificateAddress } from "../../src/domain/gateways/certificate-address.ts";
import { servedClasses } from "../../src/domain/gateways/served-classes.ts";

describe("the address of a certificate", () => {
  for (const [text, wanted] of [
    ["https://shop.vault.azure.net/certificates/web", ["shop", "AzurePublicCloud", "web", undefined]],
    ["https://shop.vault.azure.net/secrets/web/", ["shop", "AzurePublicCloud", "web", undefined]],
    ["https://SHOP.vault.azure.net/Certificates/Web/0a1B", ["shop", "AzurePublicCloud", "Web", "0a1B"]],
    ["  https://shop.vault.azure.net:443/secrets/web ", ["shop", "AzurePublicCloud", "web", undefined]],
    ["https://shop.vault.usgovcloudapi.net/certificates/web", ["shop", "AzureUSGovernmentCloud", "web", undefined]],
    ["https://shop.vault.azure.cn/certificates/web", ["shop", "AzureChinaCloud", "web", undefined]],
    ["https://shop.vault.microsoftazure.de/certificates/web", ["shop", "AzureGermanCloud", "web", undefined]],
  ] as const)
    test(`${text} names vault, cloud, object and version`, () => {
      const [keyvaultName, cloudName, objectName, objectVersion] = wanted;
      assert.deepEqual(parseCertificateAddress(text), { ok: true, value: { keyvaultName, cloudName, objectName, objectVersion } });
    });

  for (const [text, error] of [
    ["", /^is not an https address/],
    ["http://shop.vault.azure.net/secrets/web", /^is not an https address/],
    ["https://shop.vault.azure.net/secrets/web?sig=hidden", /^is not an https address without query and fragment/],
    ["https://user:hidden@shop.vault.azure.net/secrets/web", /^names no vault: /],
    ["https://shop.vault.azure.net:8443/secrets/web", /^names no vault: /],
    ["https://vault/secrets/web", /^names no vault: /],
    ["https://a.vault.azure.net/secrets/web", /^names no vault: the host must be the vault's name \(3 to 24/],
    ["https://shop.managedhsm.azure.net/secrets/web", /the domain after the vault's name must be one of vault\.azure\.net, /],
    ["https://shop.vault.azure.net", /^names neither a certificate nor a secret/],
    ["https://shop.vault.azure.net/keys/web", /^names neither a certificate nor a secret/],
    ["https://shop.vault.azure.net/secrets", /^names no object of the vault/],
    ["https://shop.vault.azure.net/secrets/..", /^names no object of the vault/],
    ["https://shop.vault.azure.net/secrets/web_1", /^names no object of the vault/],
    ["https://shop.vault.azure.net/secrets/web//", /^has an invalid version/],
    ["https://shop.vault.azure.net/secrets/web/1.2", /^has an invalid version/],
    ["https://shop.vault.azure.net/secrets/web/1/2", /^has text after the version/],
    [`https://shop.vault.azure.net/secrets/${"a".repeat(1_100)}`, /^has more than 1024 characters/],
  ] as const)
    test(`${text.slice(0, 60)} is refused with what to write, and is not quoted`, () => {
      const read = parseCertificateAddress(text);
      assert.ok(!read.ok);
      assert.match(read.error, error);
      assert.doesNotMatch(read.error, /hidden/);
    });
});

describe("the classes that an operator named", () => {
  test("are served but for those of App Routing, which are told", () => {
    const named = { Gateway: ["istio", "approuting-istio"], Ingress: ["webapprouting.kubernetes.azure.com", "nginx"] };

    assert.deepEqual(servedClasses(named), {
      served: { Gateway: ["istio"], Ingress: ["nginx"] },
      refused: [
        { kind: "Gateway", name: "approuting-istio" },
        { kind: "Ingress", name: "webapprouting.kubernetes.azure.com" },
      ],
    });
  });
});
