import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { KubeObject, Secret, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { apiRequest } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aPod, aReview, documentVolume, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { postToWebhook, type WebhookTarget, webhookTarget } from "../support/webhook/webhook-request.ts";
import { findLeaks } from "../support/worker/canary.ts";
import {
  askNow,
  classOf,
  createClass,
  dataOf,
  listAll,
  opaque,
  reasonIs,
  type SyncWorld,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const WEBHOOK_USER = "system:serviceaccount:keyvault-injector:keyvault-injector-webhook";
const READS = new Set(["get", "list", "watch"]);
const VALUE = `value-${randomBytes(12).toString("hex")}`;

let world: SyncWorld;
let webhook: ProductProcess;
/** Namespace with credentials, a class and its synced Secret. */
let victim: string;
/** Empty namespace. */
let attacker: string;
let object: string;

/** Returns a class that the attacker writes to use the victim's credentials or Secrets. */
function stealing(changes: Partial<Parameters<typeof classOf>[1]>): SecretProviderClass {
  return classOf(world, { namespace: attacker, name: "steal", objects: [object], secretObjects: [opaque("stolen", object)], ...changes });
}

describe("an install with a vault", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    webhook = await world.product.start("webhook", { within: 120_000 });
    await world.product.start("sync", { within: 120_000 });
    victim = await world.namespace();
    attacker = await world.namespace({ credentials: false });
    object = await world.object(VALUE);
    await createClass(
      world.plane,
      classOf(world, { namespace: victim, name: "shop", objects: [object], secretObjects: [opaque("shop", object)] }),
    );
    await eventually(() => dataOf(world.plane, victim, "shop"), { what: "the victim's Secret" });
  });
  after(async () => {
    await world?.stop();
  });

  test("asks the vault and its sign-in, and sends nothing to anybody else", async () => {
    const allowed = new Set([`${world.vault}.vault.azure.net`, "login.microsoftonline.com"]);
    const strangers = async () => (await world.emulator.requests()).filter(({ host }) => !allowed.has(host));
    assert.deepEqual(await strangers(), []);
    // The control: the worker sees a class with another vault. The proxy, which is the only way out, rejects its requests.
    const parameters = { keyvaultName: "no-such-vault" };
    await createClass(
      world.plane,
      classOf(world, { namespace: victim, name: "other", objects: [object], secretObjects: [opaque("other", object)], parameters }),
    );
    await reasonIs(world.plane, { namespace: victim, name: "other" }, "Unreachable");
    assert.deepEqual([...new Set((await strangers()).map(({ host }) => host))], ["no-such-vault.vault.azure.net"]);
  });

  describe("attacked by somebody who may write in one namespace", () => {
    test("gets nothing of another namespace's class into a pod: its name is refused, and one of that name here is another class", async () => {
      const create = (classes: string) =>
        apiRequest(world.plane, {
          method: "POST",
          path: `/api/v1/namespaces/${attacker}/pods`,
          body: aPod({ inject: "true", "secret-provider-class": classes }),
        });
      const named = await create(`${victim}/shop`);
      assert.equal(named.status, 422);
      assert.match(String(at(named.body, "message")), /secret-provider-class is "team-\d+\/shop".* is not a valid object name/);

      const homonym = await create("shop");
      assert.equal(homonym.status, 201);
      const [volume] = listAt(homonym.body, "spec", "volumes").filter((each) => at(each, "csi") !== undefined);
      assert.deepEqual(at(volume, "csi", "volumeAttributes"), { secretProviderClass: "shop" });
      assert.match(homonym.warnings.join("\n"), /shop\\" does not exist/);
    });

    test("has nothing mirrored with another namespace's credentials, and nothing into another namespace", async () => {
      const foreign = "secrets-store-creds";
      await createClass(world.plane, stealing({}));
      await reasonIs(world.plane, { namespace: attacker, name: "steal" }, "CredentialsMissing");
      const paths = [`${victim}/${foreign}`, `../../${victim}/secrets/${foreign}`, `..%2f..%2f${victim}%2fsecrets%2f${foreign}`];
      for (const [index, name] of paths.entries()) {
        const annotations = prefixed({ "credentials-secret": name });
        await createClass(
          world.plane,
          stealing({ name: `borrow-${index}`, annotations, secretObjects: [opaque(`borrowed-${index}`, object)] }),
        );
        const secretObjects = [opaque(`../../${victim}/secrets/planted`, object)];
        await createClass(world.plane, stealing({ name: `plant-${index}`, secretObjects }));
      }
      await eventually(
        async () => {
          const statuses = await listAll<KubeObject & { status?: unknown }>(
            world.plane,
            `/apis/keyvault-injector.dev/v1alpha1/namespaces/${attacker}/secretproviderclasssyncs`,
          );
          return statuses.filter(({ status }) => listAt(status, "conditions").length > 0).length === 1 + 2 * paths.length;
        },
        { what: "a word of the worker on each class" },
      );

      assert.deepEqual(await listAll(world.plane, `/api/v1/namespaces/${attacker}/secrets`), []);
      const there = await listAll<Secret>(world.plane, `/api/v1/namespaces/${victim}/secrets`);
      assert.deepEqual(there.map(({ metadata }) => metadata.name).sort(), [foreign, "shop"]);
      // The control: with its own credentials, the same class is synced into its own namespace.
      const { data } = there.find(({ metadata }) => metadata.name === foreign) ?? {};
      await send(world.plane, {
        method: "POST",
        path: `/api/v1/namespaces/${attacker}/secrets`,
        body: { metadata: { name: foreign }, data },
      });
      await askNow(world.plane, { namespace: attacker, name: "steal" });
      assert.deepEqual(await eventually(() => dataOf(world.plane, attacker, "stolen"), { what: "its own Secret" }), { value: VALUE });
    });

    test("gets no token of another namespace's account", async () => {
      const parameters = { clientID: world.principal.appId };
      for (const [index, account] of [`${victim}/default`, `../../${victim}/serviceaccounts/default`].entries()) {
        const name = `impersonate-${index}`;
        await createClass(world.plane, stealing({ name, parameters, annotations: prefixed({ "service-account": account }) }));
        await reasonIs(world.plane, { namespace: attacker, name }, "IdentityUnavailable");
      }
      const asked = world.plane.audit().filter(({ resource }) => resource === "serviceaccounts/token");
      assert.deepEqual(
        asked.filter(({ namespace }) => namespace === victim),
        [],
      );
    });
  });

  describe("attacked by somebody who calls the webhook's own port", () => {
    let target: WebhookTarget;
    const clientID = `client-${randomBytes(8).toString("hex")}`;
    /** Values of the class or of its Secrets. Only clients that may read these objects may see them. */
    let hidden: readonly string[];

    before(async () => {
      const facts = {
        namespace: victim,
        name: "port",
        objects: [object],
        secretObjects: [opaque("port-secret", object), opaque("guessed", object), opaque("guessed-too", object)].map((each) => ({
          ...each,
          data: [{ objectName: object, key: "HIDDEN_KEY" }],
        })),
        parameters: { clientID },
      };
      await createClass(world.plane, classOf(world, facts));
      hidden = [
        VALUE,
        world.principal.clientSecret,
        world.principal.appId,
        world.vault,
        world.tenantId,
        clientID,
        object,
        "port-secret",
        "HIDDEN_KEY",
      ];
      target = await webhookTarget(world.plane, webhook.admissionPort);
    });

    test("learns of a class that it is there and whether it needs credentials, and nothing of its content or of Secrets", async () => {
      const annotations = [
        {},
        { "credentials-secret": "none" },
        { "env-from": "app-secret" },
        { "env-from": "guessed,guessed-too" },
        { "mount-path": "relative" },
        { containers: "nobody" },
        { "restart-on-rotation": "perhaps" },
      ];
      const pods = annotations.map((more) => aPod({ inject: "true", "secret-provider-class": "port", ...more }));
      const own = [
        documentVolume(),
        documentVolume({ csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "port" } } }),
      ];
      const reviews = [...pods, ...own.map((volume) => aPod({ inject: "true", "secret-provider-class": "port" }, { volumes: [volume] }))];
      const answers: string[] = [];
      for (const pod of reviews) {
        for (const path of ["/mutate/pods", "/validate/workloads"]) {
          const { status, body } = await postToWebhook(target, JSON.stringify(aReview(pod, { namespace: victim })), { path });
          assert.ok(status === 200, `${path}: ${status}`);
          const patch = at(body, "response", "patch");
          answers.push(`${JSON.stringify(body)}\n${typeof patch === "string" ? Buffer.from(patch, "base64").toString() : ""}`);
        }
      }

      const texts = answers.map((text, index) => ({ name: `answer ${index}`, text }));
      assert.ok(answers.some((text) => text.includes('"secretProviderClass":"port"')));
      assert.deepEqual(findLeaks(hidden, texts), []);
      const [first = ""] = answers;
      for (const value of hidden) assert.notDeepEqual(findLeaks([value], [{ name: "planted", text: `${first}${value}` }]), []);
    });

    test("changes nothing: no object is written, and the cluster's pods are as they were", async () => {
      const writes = () => world.plane.audit().filter(({ user, verb }) => user === WEBHOOK_USER && !READS.has(verb));
      const before = writes().length;
      const review = aReview(aPod({ inject: "true", "secret-provider-class": "port" }), { namespace: victim });
      for (let count = 0; count < 20; count++) assert.equal((await postToWebhook(target, JSON.stringify(review))).status, 200);

      // The webhook writes only its CA, regardless of the requests.
      assert.ok(before > 0);
      assert.deepEqual(writes().slice(before), []);
      assert.deepEqual(await listAll(world.plane, `/api/v1/namespaces/${victim}/pods`), []);
    });
  });
});
