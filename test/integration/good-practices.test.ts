import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiAnswer, apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { at, listAt, policyIsActive } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { type Competitor, type CompetitorOptions, type Mutation, startCompetitor } from "./competing-webhook.ts";

// Good practices of admission webhooks that need an API server to show: see docs/evidence/good-practices.md.

const refusal = controlPlaneRefusal();
type Json = Readonly<Record<string, unknown>>;
interface Named {
  readonly name: string;
}
interface Container extends Named {
  readonly volumeMounts?: readonly (Named & { readonly mountPath: string })[];
}

let plane: ControlPlane;
let product: Product;
let webhook: ProductProcess;
let serial = 0;

const RESTRICTED = {
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [{ name: "app", image: "app:1", securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } }],
};

function create(annotations: Readonly<Record<string, string>>, spec: Json = {}, namespace = "default"): Promise<ApiAnswer> {
  const pod = aPod(annotations, { automountServiceAccountToken: false, ...spec });
  const metadata = { ...Object(pod["metadata"]), name: `pod-${++serial}` };
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body: { ...pod, metadata } });
}

const messageOf = ({ body }: ApiAnswer): string => String(at(body, "message"));
const containersOf = ({ body }: ApiAnswer): readonly Container[] =>
  [...listAt(body, "spec", "initContainers"), ...listAt(body, "spec", "containers")] as readonly Container[]; // Containers of a Pod.
const volumesOf = ({ body }: ApiAnswer): readonly Named[] => listAt(body, "spec", "volumes") as readonly Named[]; // Volumes of a Pod.

/** Asserts that the pod has our volume once, and each container mounts it once, whether we or another webhook added it. */
function assertInjectedOnce(answer: ApiAnswer, containers: readonly string[]): void {
  assert.equal(answer.status, 201, messageOf(answer));
  assert.deepEqual(
    containersOf(answer)
      .map(({ name }) => name)
      .sort(),
    [...containers].sort(),
  );
  assert.equal(volumesOf(answer).filter((volume) => at(volume, "csi") !== undefined).length, 1);
  for (const { name, volumeMounts = [] } of containersOf(answer)) {
    const ours = volumeMounts.filter(({ mountPath }) => mountPath === "/mnt/secrets-store");
    assert.deepEqual([name, ours.length, ours[0]?.name], [name, 1, "secrets-store-inline"]);
  }
}

/** Adds a sidecar with its own volume, but only once. */
const addingSidecar =
  (name: string): Mutation =>
  (spec) => {
    const containers = listAt(spec, "containers") as readonly Container[]; // A PodSpec.
    if (containers.some((container) => container.name === name)) return undefined;
    const sidecar = { name, image: "sidecar:1", volumeMounts: [{ name: `${name}-data`, mountPath: "/data" }] };
    const init = { name: `${name}-init`, image: "sidecar:1" };
    return {
      ...spec,
      initContainers: [init, ...listAt(spec, "initContainers")],
      containers: [sidecar, ...containers],
      volumes: [{ name: `${name}-data`, emptyDir: {} }, ...listAt(spec, "volumes")],
    };
  };

/**
 * Does what decoding into types and encoding again does: changes the order of members and items, and writes out defaults and empty values.
 */
const reserialising: Mutation = (spec) => {
  const byName = (items: readonly unknown[]): readonly unknown[] =>
    [...items].sort((a, b) => String(at(b, "name")).localeCompare(String(at(a, "name"))));
  const containers = (list: string) =>
    listAt(spec, list).map((container) => ({
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      ...reversed(container),
      volumeMounts: byName(listAt(container, "volumeMounts")).map(reversed),
      env: listAt(container, "env"),
    }));
  return {
    ...reversed(spec),
    volumes: byName(listAt(spec, "volumes")).map(reversed),
    containers: containers("containers"),
    initContainers: containers("initContainers"),
    nodeSelector: {},
    tolerations: listAt(spec, "tolerations"),
  };
};

function reversed(value: unknown): Json {
  const entries = Object.entries(Object(value) as Json).toReversed();
  return Object.fromEntries(entries.map(([key, item]) => [key, key === "csi" ? reversed(item) : item]));
}

const stripping: Mutation = (spec) => {
  if (!listAt(spec, "volumes").some((volume) => at(volume, "csi") !== undefined)) return undefined;
  return { ...spec, volumes: [], containers: listAt(spec, "containers").map((each) => ({ ...Object(each), volumeMounts: [] })) };
};

/** Runs `body` with the competitors installed. Waits until each is in effect before, and is gone afterwards. */
async function withCompetitors(all: readonly CompetitorOptions[], body: (running: readonly Competitor[]) => Promise<void>): Promise<void> {
  const running: Competitor[] = [];
  try {
    for (const options of all) running.push(await startCompetitor(plane, options));
    await eventually(async () => (await create({ inject: "false" })).status === 201 && running.every(({ calls }) => calls() > 0), {
      what: "the competitors' first calls",
    });
    await body(running);
  } finally {
    for (const competitor of running) await competitor.stop();
  }
}

const beforeOurs = (mutate: Mutation): CompetitorOptions => ({ name: "a-competitor", mutate, reinvocationPolicy: "IfNeeded" });
const afterOurs = (mutate: Mutation): CompetitorOptions => ({ name: "z-competitor", mutate, reinvocationPolicy: "IfNeeded" });

async function reviewsAnswered(): Promise<number> {
  const lines = (await webhook.metrics()).split("\n").filter((line) => line.startsWith("keyvault_injector_admission_requests_total{"));
  assert.ok(lines.length > 5);
  return lines.map((line) => Number(line.split(" ").at(-1))).reduce((sum, count) => sum + count, 0);
}

describe("good practices, on an API server", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    webhook = await product.start("webhook");
    await plane.kubectl(["create", "serviceaccount", "default", "-n", "default"]);
    await plane.kubectl(["create", "namespace", "restricted"]);
    await plane.kubectl(["create", "serviceaccount", "default", "-n", "restricted"]);
    await plane.kubectl(["label", "namespace", "restricted", "pod-security.kubernetes.io/enforce=restricted"]);
    const items = ["default", "restricted"].map((namespace) => aClass({}, "akvprovider-demo", namespace));
    await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await eventually(async () => volumesOf(await create(OPTED_IN)).length === 1, { what: "injection" });
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  test("a pod without annotations of ours never reaches the webhook, and one with any of them does", async () => {
    const answered = await reviewsAnswered();

    assert.equal((await create({})).status, 201);
    assert.equal(await reviewsAnswered(), answered);
    assert.equal((await create({ injekt: "true" })).status, 201);
    assert.equal(await reviewsAnswered(), answered + 1);
  });

  test("NC-22: a pod with our keys as labels reaches the webhook and gets no volume, and the API server sends none that has a controller", async () => {
    const answered = await reviewsAnswered();
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "1", controller: true };
    const labelled = (fields: Json) => {
      const metadata = { name: `pod-${++serial}`, labels: prefixed(OPTED_IN), ...fields };
      const body = { ...aPod({}, { automountServiceAccountToken: false }), metadata };
      return apiRequest(plane, { method: "POST", path: "/api/v1/namespaces/default/pods", body });
    };

    assert.equal((await labelled({ ownerReferences: [owner] })).status, 201);
    assert.equal(await reviewsAnswered(), answered);
    const answer = await labelled({});
    assert.deepEqual([answer.status, volumesOf(answer)], [201, []]);
    assert.equal(await reviewsAnswered(), answered + 1);
  });

  test("a webhook before ours that adds containers and a volume: all containers get the mount, once", async () => {
    await withCompetitors([beforeOurs(addingSidecar("early"))], async () => {
      assertInjectedOnce(await create(OPTED_IN), ["app", "early", "early-init"]);
    });
  });

  test("a webhook after ours that adds containers and a volume: they get the mount too", async () => {
    await withCompetitors([afterOurs(addingSidecar("late"))], async () => {
      const answer = await create(OPTED_IN);
      assertInjectedOnce(answer, ["app", "late", "late-init"]);
      assert.ok(volumesOf(answer).some(({ name }) => name === "late-data"));
    });
  });

  test("two competing webhooks, one before and one after, one of them re-serialising: nothing is lost, nothing comes twice", async () => {
    const rounds: readonly (readonly CompetitorOptions[])[] = [
      [beforeOurs(addingSidecar("early")), afterOurs(reserialising)],
      [beforeOurs(reserialising), afterOurs(addingSidecar("late"))],
      [beforeOurs(reserialising), afterOurs(reserialising)],
    ];
    for (const competitors of rounds) {
      await withCompetitors(competitors, async (running) => {
        const answer = await create(OPTED_IN);
        const added = containersOf(answer).map(({ name }) => name);
        assertInjectedOnce(answer, added);
        assert.equal(added.length, competitors.every(({ mutate }) => mutate === reserialising) ? 1 : 3);
        assert.equal(
          at(
            volumesOf(answer).find(({ name }) => name === "secrets-store-inline"),
            "csi",
            "readOnly",
          ),
          true,
        );
        assert.ok(running.every(({ calls }) => calls() >= 2));
      });
    }
  });

  test("a webhook after ours that takes the volume away: the pod is refused by the policy, with the reason", async () => {
    await withCompetitors([afterOurs(stripping)], async () => {
      await policyIsActive("keyvault-injector-pod-volume", () => create(OPTED_IN));
      const answer = await create(OPTED_IN);
      assert.notEqual(answer.status, 201);
      assert.match(messageOf(answer), /ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'.*no volume of driver/);
    });
  });

  test("ST1: a webhook after ours that opts the pod in: the denial names this cause, and one key of ours in the template is enough", async () => {
    const optingIn = {
      name: "z-competitor",
      mutate: () => undefined,
      annotations: prefixed(OPTED_IN),
      reinvocationPolicy: "IfNeeded" as const,
    };
    await withCompetitors([optingIn], async () => {
      await policyIsActive("keyvault-injector-pod-volume", () => create({}));
      const { "secret-provider-class": named } = OPTED_IN;

      assert.match(
        messageOf(await create({})),
        /or a webhook that runs after the injector added the annotations: then add them to the pod template/,
      );
      assertInjectedOnce(await create({ "secret-provider-class": named }), ["app"]);
    });
  });

  test("a pod that PodSecurity restricted admits is admitted injected, without a warning", async () => {
    const answer = await create(OPTED_IN, RESTRICTED, "restricted");

    assertInjectedOnce(answer, ["app"]);
    assert.deepEqual(answer.warnings, []);
    const refused = await create(OPTED_IN, { ...RESTRICTED, securityContext: {} }, "restricted");
    assert.match(messageOf(refused), /violates PodSecurity "restricted:latest"/);
  });

  test("a path that another container mounts already is refused with the fix, before the API server calls it not unique", async () => {
    const container = { name: "app", image: "app:1", volumeMounts: [{ name: "data", mountPath: "/mnt/secrets-store" }] };
    const answer = await create(OPTED_IN, { containers: [container], volumes: [{ name: "data", emptyDir: {} }] });

    assert.match(messageOf(answer), /denied the request: .*\/mnt\/secrets-store.*: set annotation keyvault-injector\.dev\/mount-path/);
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));

  test("with nobody answering, other pods start, and those that opted in are refused by the policy", async () => {
    await webhook.stop();

    assert.equal((await create({})).status, 201);
    assert.equal((await create({ inject: "false" })).status, 201);
    const answer = await create(OPTED_IN);
    assert.match(messageOf(answer), /ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'.*the injector was unavailable/);
  });
});
