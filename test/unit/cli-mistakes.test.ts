import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainClass } from "../../src/cli/explain/explain-class.ts";
import { explainPod } from "../../src/cli/explain/explain-pod.ts";
import type { Explanation } from "../../src/cli/explain/explanation.ts";
import { explanationText } from "../../src/cli/explain/explanation.ts";
import { paddedKeys } from "../../src/cli/shared/class-context.ts";
import { createFacts } from "../../src/cli/shared/injection.ts";
import { shown } from "../../src/cli/shared/terminal.ts";
import type { Viewer, ViewResult } from "../../src/cli/shared/viewer.ts";
import type { JsonObject } from "../../src/domain/json-object.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const P = "keyvault-injector.dev";
const deployment = (own: string, template: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {${own}}
spec:
  template:
    metadata:
      annotations: {${template}}
    spec:
      containers: [{name: app, image: web}]
`;
const renderText = (text: string, ...argv: string[]) => runOffline(["render", "-f", "-", ...argv], text);

describe("annotations that are not quoted", () => {
  for (const [value, advice] of [
    ["true", 'is true; quote it: "true"'],
    ["1", 'is 1; quote it: "1"'],
    ["[a]", "is not a string"],
  ] as const) {
    test(`are told with what to write: inject: ${value}`, async () => {
      const text = deployment("", `${P}/inject: ${value}`);
      const { code, output, notes } = await renderText(text);
      const explained = await runOffline(["explain", "-f", "-"], text);

      assert.deepEqual(
        [code, output, notes.slice(1)],
        [
          1,
          "",
          [`standard input:9: Deployment/web: error: spec.template.metadata.annotations must be a map of strings; "${P}/inject" ${advice}`],
        ],
      );
      assert.equal(explained.code, 1);
      assert.ok(explained.output.includes(advice), explained.output);
      assert.doesNotMatch(explained.output, /request\.object/);
    });
  }
});

describe("an annotation that is not quoted", () => {
  test("D7: is named by explain with its place and what to write, in its first line and where it failed", async () => {
    const { output } = await runOffline(["explain", "-f", "-"], deployment("", `${P}/inject: true`));
    const said = `metadata.annotations must be a map of strings; "${P}/inject" is true; quote it: "true"`;

    assert.deepEqual(output.trim().split("\n"), [
      "deployment/web in namespace default: InvalidReview (the API server rejects it)",
      `  spec.template.${said}`,
      "",
      `  PROBLEM  opt-in       spec.template.${said}`,
    ]);
  });
});

describe("a class that is not in the given files", () => {
  const classes = (name: string): string => JSON.stringify({ ...aClass(), metadata: { name } });
  const pod = JSON.stringify(aPod({ inject: "true", "secret-provider-class": "shop-secret" }));

  test("is told as that, with the one that is meant", async () => {
    const { code, notes } = await renderText(`${pod}\n---\n${classes("shop-secrets")}`);
    const { output } = await runOffline(["explain", "-f", "-"], `${pod}\n---\n${classes("shop-secrets")}`);

    assert.equal(code, 0);
    assert.match(
      notes.join("\n"),
      /warning: SecretProviderClass "shop-secret" is not in these files; did you mean "shop-secrets"\? \(credentials: Secret /,
    );
    assert.match(output, /unknown +class +SecretProviderClass shop-secret is not in these files; did you mean "shop-secrets"\?/);
    assert.equal((await renderText(`${pod}\n---\n${classes("shop-secrets")}`, "--fail-on-warnings")).code, 1);
  });

  test("and is like none of them is told without a guess", async () => {
    const { notes } = await renderText(`${pod}\n---\n${classes("other")}`);

    assert.match(notes.join("\n"), /SecretProviderClass "shop-secret" is not in these files \(credentials: Secret .*\) \(ClassMissing\)$/m);
    assert.doesNotMatch(notes.join("\n"), /did you mean/);
  });
});

describe("F3: annotations on the workload itself", () => {
  const ours = `${P}/inject: "true", ${P}/secret-provider-class: shop`;
  const advice = `move ${P}/inject and secret-provider-class to spec.template.metadata.annotations: the Deployment's own metadata has no effect`;

  test("are told by render, which fails where warnings do", async () => {
    const { code, notes } = await renderText(deployment(ours, ""), "--fail-on-warnings");

    assert.equal(code, 1);
    assert.ok(notes.includes(`standard input:5: Deployment/web: warning: ${advice} (UnknownAnnotation)`), notes.join("\n"));
  });

  test("are told by explain where it says that nothing is asked for", async () => {
    const { output } = await runOffline(["explain", "-f", "-"], deployment(ours, ""));

    assert.ok(output.startsWith(`deployment/web in namespace default: NotOptedIn (unchanged)\n  ${advice}\n`), output);
  });

  for (const [what, text] of [
    ["the template has them too", deployment(ours, ours)],
    ["they are written by the worker", deployment(`${P}/rotated: abc`, "")],
    ["they are somebody else's", deployment("example.com/inject: x", "")],
  ]) {
    test(`are no mistake where ${what}`, async () => {
      assert.doesNotMatch((await renderText(text ?? "")).notes.join("\n"), /metadata has no effect/);
    });
  }
});

/** A cluster in which the objects of these names are, and no others. */
function viewerOf(objects: Readonly<Record<string, unknown>>): Viewer {
  const absent = { kind: "absent" } as const;
  const object = async <T>(_resource: unknown, { name }: { readonly name: string }): Promise<ViewResult<T>> =>
    name in objects ? { kind: "seen", value: objects[name] as T } : absent;
  return {
    object,
    metadata: object,
    all: async <T>(): Promise<ViewResult<readonly T[]>> => ({ kind: "seen", value: [] }),
  };
}

const WEBHOOK = {
  metadata: { name: "keyvault-injector" },
  webhooks: [
    {
      name: "pods.keyvault-injector.dev",
      rules: [{ apiGroups: [""], operations: ["CREATE"], resources: ["pods"] }],
      clientConfig: { caBundle: btoa(selfSignedCertificate("ca", ["ca.example"]).cert) },
    },
  ],
};
const CREDENTIALS = { metadata: { name: "secrets-store-creds" }, data: { clientid: btoa("a"), clientsecret: btoa("b") } };

async function explainLive(pod: JsonObject, objects: Readonly<Record<string, unknown>>, isStored = false): Promise<Explanation> {
  const viewer = viewerOf({ "keyvault-injector": WEBHOOK, ...objects });
  const settings = { version: "9.9.9", strictAnnotations: false, isCallerTrusted: true };
  const context = {
    settings,
    mode: "webhook" as const,
    facts: createFacts([], viewer, "shop"),
    namespace: "shop",
    viewer,
    clock: new ManualClock(),
  };
  return explainPod({ object: "deployment/web", namespace: "shop", pod, isStored }, context);
}

describe("the headline of a pod that will not start", () => {
  test("says so where the class is not there", async () => {
    const explanation = await explainLive(aPod(OPTED_IN), { "secrets-store-creds": CREDENTIALS });

    assert.match(
      shown(explanationText(explanation), { hasColour: false }),
      /^deployment\/web in namespace shop: ClassMissing \(the pod will not start\)\n {2}SecretProviderClass akvprovider-demo does not exist/,
    );
  });

  test("says so where the credentials are not there, or have a newline at their end", async () => {
    const padded = { ...CREDENTIALS, data: { clientid: btoa("a\n"), clientsecret: btoa("b") } };
    const [absent, wrong] = [
      await explainLive(aPod(OPTED_IN), { "akvprovider-demo": aClass() }),
      await explainLive(aPod(OPTED_IN), { "akvprovider-demo": aClass(), "secrets-store-creds": padded }),
    ];

    assert.deepEqual([absent.verdict.outcome, absent.verdict.reason], ["stuck", "CredentialsMissing"]);
    assert.match(absent.verdict.message, /Secret secrets-store-creds does not exist/);
    assert.match(wrong.verdict.message, /clientid of Secret secrets-store-creds begins or ends with white space/);
  });

  test("does not say so where all is there", async () => {
    const { verdict } = await explainLive(aPod(OPTED_IN), { "akvprovider-demo": aClass(), "secrets-store-creds": CREDENTIALS });

    assert.deepEqual([verdict.outcome, verdict.reason], ["patched", "Injected"]);
  });
});

describe("R6: a pod that another version has injected", () => {
  const injected = async (): Promise<JsonObject> =>
    JSON.parse((await runOffline(["render", "-f", "-", "-o", "json"], JSON.stringify(aPod(OPTED_IN)))).output).items[0];

  test("is not said to have been missed", async () => {
    const now = JSON.stringify(await injected());
    const before = now.replace("9.9.9", "0.3.0");
    assert.notEqual(before, now);
    const pod: JsonObject = JSON.parse(before);
    const { verdict } = await explainLive(pod, { "akvprovider-demo": aClass(), "secrets-store-creds": CREDENTIALS }, true);

    assert.deepEqual([verdict.outcome, verdict.reason], ["unchanged", "AlreadyInjected"]);
  });

  test("is told from one that was missed in earnest", async () => {
    const { verdict } = await explainLive(aPod(OPTED_IN), { "akvprovider-demo": aClass(), "secrets-store-creds": CREDENTIALS }, true);

    assert.match(verdict.message, /was created without it/);
  });
});

describe("U9: a class of another provider, or of none", () => {
  const classWith = (provider: string | undefined): SecretProviderClass => {
    const { provider: _, ...spec } = aClass().spec ?? {};
    return { ...aClass(), spec: { ...spec, ...(provider === undefined ? {} : { provider }) } };
  };
  const explained = (provider: string | undefined, viewer: Viewer | undefined = viewerOf({})) =>
    explainClass({ object: "secretproviderclass/a", namespace: "shop", spc: classWith(provider) }, viewer);

  for (const [provider, reason, message] of [
    [undefined, "InvalidClass", /spec\.provider is missing.*write "azure"/],
    ["", "InvalidClass", /spec\.provider is missing/],
    ["Azure", "InvalidClass", /spec\.provider is "Azure": write "azure"/],
    ["gcp", "OtherProvider", /its provider is "gcp", so keyvault-injector ignores it/],
  ] as const) {
    test(`is explained as that: ${provider ?? "none"}`, async () => {
      for (const viewer of [viewerOf({}), undefined]) {
        const { verdict, steps } = await explained(provider, viewer);

        assert.equal(verdict.reason, reason);
        assert.match(verdict.message, message);
        assert.doesNotMatch(steps.map((each) => each.message).join("\n"), /has no secretObjects|worker running/);
      }
    });
  }

  test("is warned of where it is rendered", async () => {
    const { notes } = await renderText(JSON.stringify(classWith(undefined)));

    assert.match(notes.join("\n"), /spec\.provider is missing.*\(WrongProvider\)/);
  });
});

describe("credentials", () => {
  test("with white space around them are found by key, whatever its spelling", () => {
    const data = { clientid: btoa("id"), ClientSecret: btoa("secret\n"), other: btoa(" x ") };

    assert.deepEqual(paddedKeys(data), ["ClientSecret"]);
    assert.deepEqual(paddedKeys({ clientid: btoa("id"), clientsecret: btoa("a b") }), []);
  });
});
