import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { clusterIdIn, proxyNameOf } from "../../src/azure/cluster-name.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { identityModeRefusal } from "../../src/domain/provider-class/operator-limits.ts";
import { openProviderClass } from "../../src/domain/read-class.ts";
import { parseConfig } from "../../src/runtime/config.ts";

describe("the name of a cluster's token proxy", () => {
  // Results of the Go function `resolveServerName` of Azure provider 1.8.2.
  for (const [id, name] of [
    ["696995ccb303450001b31a18", "aeaf29ip1hi5q38ebc3u4daum81u0unk52t5bg50j25234fmuj78g.ests.aks"],
    ["abc123def456", "avimke6u6l2eeq8qc1cneuaq4sl2e1av9t4clqgun97le32hub670.ests.aks"],
    ["a", "acjjg674vrbqrfmd9oombqqsfh3ljtjhdh035j2gockct6jahn1bg.ests.aks"],
    ["a.b", "a7mk0ggqhh5fjuufegv51o6n4u12djhl6kqu7m3mob85gc8bb2lh0.ests.aks"],
    ["ünï", "an7shk40cdoqbtijpohgrsihejflnm5l4k0s0koo12jopk4ebdgh0.ests.aks"],
    ["0123456789abcdef0123456789abcdef", "af17kjq0adhpn7fa35gd5hqll5ij3jgramt04f1nbln2vg8nlff5g.ests.aks"],
  ] as const) {
    test(`is that of the Azure provider for ${id}`, () => assert.equal(proxyNameOf(id), name));
  }
});

describe("the id of a cluster", () => {
  for (const [what, names, id] of [
    [
      "comes from the certificate's name for it",
      "DNS:kubernetes, DNS:hcp-kubernetes.abc123.svc.cluster.local, IP Address:10.0.0.1",
      "abc123",
    ],
    ["is that of the first such name", "DNS:hcp-kubernetes.one.svc.cluster.local, DNS:hcp-kubernetes.two.svc.cluster.local", "one"],
    ["may have dots, as the provider takes it", "DNS:hcp-kubernetes.a.b.svc.cluster.local", "a.b"],
    ["is empty where the name leaves it out", "DNS:hcp-kubernetes..svc.cluster.local", ""],
    ["is in no name of another cluster's domain", "DNS:hcp-kubernetes.a.svc.example.com", undefined],
    ["is in no name that only contains it", "DNS:x.hcp-kubernetes.a.svc.cluster.local", undefined],
    ["is in no name of another kind", "URI:hcp-kubernetes.a.svc.cluster.local, IP Address:10.0.0.1", undefined],
    ["is in none of letters of another case, as for the provider", "DNS:HCP-kubernetes.a.svc.cluster.local", undefined],
    ["is in none that Node had to quote", 'DNS:"hcp-kubernetes.a, DNS:hcp-kubernetes.b.svc.cluster.local"', undefined],
    ["is not there without names", "", undefined],
  ] as const) {
    test(what, () => assert.equal(clusterIdIn(names), id));
  }
});

describe("the settings of identity bindings", () => {
  const tokenProxy = (argv: readonly string[], environment = {}) => {
    const config = parseConfig(argv, environment);
    return config.ok ? config.value.tokenProxy : config.error;
  };

  test("are off by default", () => assert.equal(tokenProxy([]), undefined));

  test("are those of the provider: the API server's address, its Service's port for the certificate, and the CA of pods", () => {
    const apiServer = { host: "kubernetes.default.svc.cluster.local", port: 6443 };
    const place = { url: "https://kubernetes.default.svc.cluster.local", serverName: undefined, apiServer };
    const caFile = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
    assert.deepEqual(tokenProxy(["--identity-bindings=true"], { KUBERNETES_SERVICE_PORT: "6443" }), { ...place, caFile });
    const given = tokenProxy(["--identity-bindings=true", "--token-proxy-url=https://proxy.example:8443/aks", "--sni-name=a.ests.aks"]);
    assert.deepEqual(given, {
      url: "https://proxy.example:8443/aks",
      serverName: "a.ests.aks",
      caFile,
      apiServer: { ...apiServer, port: 443 },
    });
  });

  for (const [text, problem] of [
    ["proxy", /write an address such as/],
    ["http://proxy.example", /begins with https/],
    ["https://user:hunter2@proxy.example", /without user and password/],
    ["https://proxy.example?a=b", /without query and fragment/],
    ["https://proxy.example#a", /without query and fragment/],
  ] as const) {
    test(`refuse the address ${text}, with the flag and what to write`, () => {
      const problems = tokenProxy([`--token-proxy-url=${text}`]);
      assert.ok(Array.isArray(problems));
      assert.match(problems.join("\n"), /^--token-proxy-url: /);
      assert.match(problems.join("\n"), problem);
      assert.doesNotMatch(problems.join("\n"), /hunter2/);
    });
  }
});

describe("a class with useAzureTokenProxy", () => {
  const objects = 'array:\n  - "objectName: a\\nobjectType: secret"\n';
  const parameters = { keyvaultName: "demo", tenantID: "t", objects, useAzureTokenProxy: "true", clientID: "app" };
  const secretObjects = [{ secretName: "app", type: "Opaque", data: [{ objectName: "a", key: "k" }] }];
  const open = (changes: Readonly<Record<string, string>>, identityBindings: boolean | undefined) =>
    openProviderClass(
      { provider: "azure", parameters: { ...parameters, ...changes } },
      { owner: "shop/demo", cloudName: "AzurePublicCloud", identityBindings },
    );

  test("P16: is usable where identity bindings are on, and refused with the setting to switch on where they are off", () => {
    const on = open({}, true);
    assert.ok(on.kind === "opened");
    assert.deepEqual(on.identity, { kind: "azureTokenProxy", clientId: "app" });
    for (const off of [false, undefined]) {
      const refused = open({}, off);
      assert.ok(refused.kind === "invalid");
      const { reason, message, hint } = refused.problem;
      assert.equal(reason, "IdentityUnavailable");
      assert.match(message, /while --identity-bindings is off$/);
      assert.equal(
        hint,
        "on AKS with identity bindings, set --identity-bindings=true (chart: identityBindings: true; kustomize: manifests/components/identity-bindings). " +
          "Elsewhere remove useAzureTokenProxy and set clientID to use workload identity. Mounted volumes are not affected",
      );
    }
  });

  test("has the provider's text for a missing clientID, on or off", () => {
    for (const isOn of [true, false]) {
      const refused = open({ clientID: " " }, isOn);
      assert.ok(refused.kind === "invalid");
      const { reason, message, field } = refused.problem;
      assert.deepEqual([reason, field], ["InvalidClass", "spec.parameters.clientID"]);
      assert.equal(message, "failed to build auth config for mode AzureTokenProxy: clientID is required for identity binding");
    }
  });

  test("is warned of when it is applied where they are off, if it wants Secrets, and not where they are on", () => {
    const warned = (identityBindings: boolean, wanted: typeof secretObjects) =>
      classWarnings(
        {
          apiVersion: "secrets-store.csi.x-k8s.io/v1",
          kind: "SecretProviderClass",
          metadata: { name: "demo", namespace: "shop" },
          spec: { provider: "azure", parameters, secretObjects: wanted },
        },
        { cloudName: "AzurePublicCloud", identityBindings },
      ).filter(({ message }) => message.includes("identity binding"));
    assert.equal(warned(false, secretObjects).length, 1);
    assert.deepEqual(warned(false, []), []);
    assert.deepEqual(warned(true, secretObjects), []);
  });

  test("is a mode of its own to --allowed-identity-modes", () => {
    assert.equal(identityModeRefusal({ allowedIdentityModes: ["identity-binding"] }, "azureTokenProxy"), undefined);
    const refusal = identityModeRefusal({ allowedIdentityModes: ["workload-identity"] }, "azureTokenProxy");
    assert.match(refusal?.message ?? "", /does not allow identity-binding/);
    assert.match(
      identityModeRefusal({ allowedIdentityModes: ["identity-binding"] }, "workloadIdentity")?.message ?? "",
      /workload-identity/,
    );
  });
});
