import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OWNER_RESOURCES } from "../../src/domain/gateways/owner-kinds.ts";
import { servedClasses } from "../../src/domain/gateways/served-classes.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { at, readManifests } from "../support/cluster/shipped-manifests.ts";
import { tables } from "../support/docs/markdown.ts";

const page = readRepositoryFile("docs/reference/gateway-certificates.md");

/** Classes that the operator of App Routing serves, according to its source: two by name, and those of its own controllers. */
const APP_ROUTINGS = {
  "--gateway-classes": ["`approuting-istio`", "`istio`"],
  "--ingress-classes": ["`webapprouting.kubernetes.azure.com`", "`NginxIngressController`"],
};

describe("the policies on authors of Gateways and Ingresses", () => {
  for (const name of ["gateway-identities", "gateway-authors"]) {
    test(`SW3: exempt only classes that the worker refuses: ${name}`, () => {
      const [policy] = readManifests(`components/gateway-tls/rights/${name}.yaml`);
      const expression = String(at(policy, "spec", "matchConditions", 1, "expression"));
      const classOf = (field: string) => new RegExp(`${field}\\.orValue\\(''\\) [!=]= '([^']+)'`, "g");
      const exempt = ["gatewayClassName", "ingressClassName"].map((field) =>
        [...expression.matchAll(classOf(field))].map(([, found = ""]) => found),
      );
      const [Gateway = [], Ingress = []] = exempt;
      assert.deepEqual(exempt, [["approuting-istio"], ["webapprouting.kubernetes.azure.com"]]);
      assert.deepEqual(servedClasses({ Gateway, Ingress }).served, { Gateway: [], Ingress: [] });
    });
  }
});

describe("the pages on certificates of Gateways and Ingresses", () => {
  test("SW3: name every class that App Routing serves, on the page and at each setting", () => {
    const section = page.slice(page.indexOf("\n## App Routing"), page.indexOf("\n## Limits"));
    const listed = tables(section).flatMap(({ rows }) => rows.map(([name = ""]) => name));
    const settings = tables(readRepositoryFile("docs/reference/settings.md")).flatMap(({ rows }) => rows);
    for (const [flag, names] of Object.entries(APP_ROUTINGS)) {
      const row = settings.find(([name]) => name === `\`${flag}\``)?.join(" ") ?? "";
      for (const name of names) {
        assert.ok(
          listed.some((text) => text.includes(name)),
          `${name} on the page`,
        );
        assert.ok(row.includes(name), `${name} at ${flag}`);
      }
    }
  });

  test("SW3: say that objects of App Routing need another class, because the worker ignores its classes", () => {
    const remedy = /written for App Routing on AKS, change only the GatewayClass or IngressClass to one from step 1\./;
    assert.match(readRepositoryFile("docs/how-to/tls-for-gateways.md"), remedy);
  });

  test("SW7: name the kind with listeners that the worker does not read", () => {
    const kinds: readonly string[] = Object.keys(OWNER_RESOURCES);
    assert.ok(!kinds.includes("ListenerSet"));
    assert.match(page.slice(page.indexOf("\n## Limits")), /It ignores the listeners of a `ListenerSet`/);
  });
});
