import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkGateways } from "../../src/cli/doctor/checks/gateways.ts";
import { checkPolicies } from "../../src/cli/doctor/checks/policies.ts";
import { listAt, type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
import { holding, workerDeployment } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";

const gatewayClass = (name: string, labels = {}): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "GatewayClass",
  metadata: { name, labels },
  spec: { controllerName: "example.com/gateways" },
});
const ingressClass = (name: string, controller: string): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name },
  spec: { controller },
});
const gateway = (name: string, address: string, gatewayClassName = "named"): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: { namespace: "shop", name },
  spec: {
    gatewayClassName,
    listeners: [{ name: "https", protocol: "HTTPS", tls: { options: { "kubernetes.azure.com/tls-cert-keyvault-uri": address } } }],
  },
});

const GOOD = "https://shop.vault.azure.net/certificates/web";

async function found(...objects: readonly Manifest[]): Promise<readonly string[]> {
  const results = await checkGateways({ viewer: holding(objects), namespace: NAMESPACE });
  return results.map(({ state, message, fix }) => `${state} ${message}${fix === undefined ? "" : ` -> ${fix}`}`);
}

describe("doctor on certificates of Gateways and Ingresses", () => {
  test("finds nothing to look at where no class is named", async () => {
    assert.deepEqual(await found(workerDeployment()), [
      "OK no Gateway or Ingress gets a certificate: --gateway-classes and --ingress-classes are empty",
    ]);
  });

  test("is content where the classes are there and the addresses can be read, whatever Gateways of others say", async () => {
    const objects = [gatewayClass("named"), gateway("web", GOOD), gateway("other", "x", "others")];
    assert.deepEqual(await found(workerDeployment("--gateway-classes=named"), ...objects), [
      "OK the named classes exist, and every certificate address is valid",
    ]);
  });

  test("names a class that is not there, and an address that is none", async () => {
    assert.deepEqual(await found(workerDeployment("--gateway-classes=named,missing"), gatewayClass("named"), gateway("web", "https://x")), [
      "WARN GatewayClass missing does not exist -> create it, or correct --gateway-classes",
      "WARN Gateway/shop/web: spec.listeners[https].tls.options: kubernetes.azure.com/tls-cert-keyvault-uri names no vault: the host must be the vault's name (3 to 24 letters, digits, and hyphens) and the domain of its cloud; write https://<vault>.vault.azure.net/certificates/<name>, or /secrets/<name> -> correct it; the events of the Gateway report the same",
    ]);
  });

  test("knows the classes of App Routing by name, by label and by controller", async () => {
    const args = ["--gateway-classes=approuting-istio,meshed", "--ingress-classes=webapprouting.kubernetes.azure.com,private"];
    const objects = [
      gatewayClass("meshed", { "app.kubernetes.io/managed-by": "aks-app-routing-operator" }),
      ingressClass("private", "webapprouting.kubernetes.azure.com/nginx/private"),
    ];
    assert.deepEqual(await found(workerDeployment(...args), ...objects), [
      "WARN GatewayClass approuting-istio belongs to App Routing, the AKS add-on: the worker gives it no certificates -> remove approuting-istio from --gateway-classes",
      "WARN IngressClass webapprouting.kubernetes.azure.com belongs to App Routing, the AKS add-on: the worker gives it no certificates -> remove webapprouting.kubernetes.azure.com from --ingress-classes",
      "WARN GatewayClass meshed belongs to App Routing, which writes the same classes and takes over objects with their names -> remove meshed from --gateway-classes",
      "WARN IngressClass private belongs to App Routing, which writes the same classes and takes over objects with their names -> remove private from --ingress-classes",
    ]);
  });
});

describe("SW3: doctor on a class that App Routing serves, too, although it did not create the GatewayClass", () => {
  const madeFor = (name: string, metadata: object): Manifest => ({
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "shop", name: `kv-gw-cert-${name}-https`, ...metadata },
  });
  const objects = [gatewayClass("istio"), gateway("api", GOOD, "istio"), gateway("web", GOOD, "istio")];
  const warning =
    "WARN GatewayClass istio: App Routing, the AKS add-on, serves it too, and has written SecretProviderClass shop/kv-gw-cert-web-https for Gateway/shop/web -> remove istio from --gateway-classes";

  test("names the class by a SecretProviderClass that App Routing wrote, once", async () => {
    const label = { labels: { "app.kubernetes.io/managed-by": "aks-app-routing-operator" } };
    const manager = { managedFields: [{ manager: "aks-app-routing-operator", operation: "Apply" }] };
    for (const marks of [label, manager])
      assert.deepEqual(await found(workerDeployment("--gateway-classes=istio"), ...objects, madeFor("web", marks)), [warning]);
    const both = [madeFor("web", label), madeFor("api", label)];
    assert.equal((await found(workerDeployment("--gateway-classes=istio"), ...objects, ...both)).length, 1);
  });

  test("is content with classes of others, and with those of Gateways of another class", async () => {
    const label = { labels: { "app.kubernetes.io/managed-by": "aks-app-routing-operator" } };
    const more = [madeFor("web", {}), gateway("other", GOOD, "others"), madeFor("other", label)];
    assert.deepEqual(await found(workerDeployment("--gateway-classes=istio"), ...objects, ...more), [
      "OK the named classes exist, and every certificate address is valid",
    ]);
  });
});

describe("A12: doctor on the policies of Gateways and Ingresses", () => {
  const shipped = (folder: string): readonly Manifest[] =>
    readManifests(`${folder}/kustomization.yaml`)
      .flatMap((kustomization) => listAt(kustomization, "resources").map(String))
      .flatMap((file) => readManifests(`${folder}/${file}`));
  const component = shipped("components/gateway-tls/rights");
  const said = async (...objects: readonly Manifest[]): Promise<readonly string[]> => {
    const results = await checkPolicies({ viewer: holding([...shipped("policies"), ...objects]), namespace: NAMESPACE });
    return results.map(({ state, message, fix }) => `${state} ${message}${fix === undefined ? "" : ` -> ${fix}`}`);
  };

  for (const flag of ["--gateway-classes=named", "--ingress-classes=named"]) {
    test(`misses them where classes are named, by ${flag}, and finds nothing wrong with them as they are shipped`, async () => {
      assert.deepEqual(await said(workerDeployment(flag)), [
        "FAIL policy keyvault-injector-gateway-identities is missing -> apply the component gateway-tls again",
        "FAIL policy keyvault-injector-gateway-authors is missing -> apply the component gateway-tls again",
      ]);
      assert.deepEqual(await said(workerDeployment(flag), ...component), [
        "OK 19 policies exist and are bound, for namespace keyvault-injector",
      ]);
    });
  }

  test("asks for none of them where no class is named", async () => {
    assert.deepEqual(await said(workerDeployment()), ["OK 17 policies exist and are bound, for namespace keyvault-injector"]);
  });

  test("finds one that is bound without Deny", async () => {
    const audited = component.map((manifest) =>
      manifest.kind.endsWith("Binding") ? { ...manifest, spec: { ...Object(manifest["spec"]), validationActions: ["Warn"] } } : manifest,
    );
    assert.deepEqual(await said(workerDeployment("--gateway-classes=named"), ...audited), [
      "FAIL policy keyvault-injector-gateway-identities is bound without Deny, so it denies nothing -> apply the component gateway-tls again",
    ]);
  });
});
