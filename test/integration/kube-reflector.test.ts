import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { type KubeObject, type ObjectRef, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { Change, Reflector } from "../../src/domain/ports/kube-watcher.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import {
  CONFIG_MAPS,
  type KubeAccess,
  kubeAccess,
  proxiedKubeconfig,
  WIDGETS,
  type Widget,
  widget,
  widgetDefinition,
} from "../support/cluster/kube-access.ts";
import type { TcpProxy } from "../support/processes/tcp-proxy.ts";
import { eventually } from "../support/time/eventually.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const refusal = controlPlaneRefusal();
const MANAGER = { fieldManager: "test" };
const forever = new AbortController().signal;
const WIDGET_CRD = { name: "widgets.test.keyvault-injector.dev" };

/** State of an informer's subscriber, and the events that it received. */
class Follower {
  readonly versions = new Map<string, string>();
  readonly heard: string[] = [];
  readonly wrong: string[] = [];

  readonly onChange = (ref: ObjectRef, { previous, current }: Change<KubeObject>): void => {
    const known = this.versions.get(ref.name);
    if (known !== previous?.metadata.resourceVersion) this.wrong.push(`${ref.name}: previous is not what was last reported`);
    if (current === undefined) this.versions.delete(ref.name);
    else this.versions.set(ref.name, current.metadata.resourceVersion ?? "");
    this.heard.push(`${previous === undefined ? "added" : current === undefined ? "deleted" : "changed"} ${ref.name}`);
  };
}

function versionsOf(objects: readonly KubeObject[]): ReadonlyMap<string, string> {
  return new Map(objects.map(({ metadata }) => [metadata.name, metadata.resourceVersion ?? ""]));
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function configMap(namespace: string, name: string, value: string): KubeObject {
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, data: { value } };
  return body;
}

describe("a reflector", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  let direct: KubeAccess;
  let proxy: TcpProxy;
  let proxied: KubeAccess;
  const logger = recordingLogger();
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    direct = kubeAccess(plane.kubeconfigPath);
    const through = await proxiedKubeconfig(plane);
    proxy = through.proxy;
    proxied = kubeAccess(through.kubeconfig, logger);
  });
  after(async () => {
    await Promise.all([direct?.config.close(), proxied?.config.close()]);
    await proxy?.stop();
    await plane?.stop();
  });

  const stops: AbortController[] = [];
  function stopper(): AbortController {
    const stop = new AbortController();
    stops.push(stop);
    return stop;
  }
  afterEach(() => {
    for (const stop of stops.splice(0)) stop.abort();
    proxy.refusing = false;
    proxy.frozen = false;
    proxy.cut();
  });

  async function inNamespace(name: string): Promise<string> {
    await direct.client.create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, MANAGER, forever);
    return name;
  }

  async function agrees(copy: Reflector<KubeObject>, namespace: string): Promise<void> {
    await eventually(
      async () => {
        const live = versionsOf(await direct.client.list(CONFIG_MAPS, { namespace }, forever));
        assert.deepEqual(new Map([...versionsOf(copy.list())].sort(byName)), new Map([...live].sort(byName)));
        return true;
      },
      { what: "the copy's agreement with the API server" },
    );
  }

  test("holds every page of a list, and hears of what comes after", async () => {
    const namespace = await inNamespace("paged");
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => direct.client.create(CONFIG_MAPS, configMap(namespace, `m-${i}`, "1"), MANAGER, forever)),
    );
    const stop = stopper();
    const follower = new Follower();
    const options = { resource: CONFIG_MAPS, namespace, project: (object: KubeObject) => object, onChange: follower.onChange };
    const copy = proxied.watcher({ pageSize: 7 }).reflect(options, stop.signal);
    await copy.synced(forever);
    assert.equal(copy.list().length, 60);

    await direct.client.apply(CONFIG_MAPS, configMap(namespace, "m-3", "2"), { ...MANAGER, force: true }, forever);
    await direct.client.delete(CONFIG_MAPS, { namespace, name: "m-4" }, {}, forever);
    await direct.client.create(CONFIG_MAPS, configMap(namespace, "m-new", "1"), MANAGER, forever);

    await eventually(() => follower.heard.length === 63, { what: "the changes" });
    assert.deepEqual(follower.heard.slice(60), ["changed m-3", "deleted m-4", "added m-new"]);
    assert.deepEqual(follower.wrong, []);
    await agrees(copy, namespace);
  });

  test("loses nothing in 500 writes while its connections are cut again and again", async () => {
    const namespace = await inNamespace("burst");
    const stop = stopper();
    const follower = new Follower();
    const options = { resource: CONFIG_MAPS, namespace, project: (object: KubeObject) => object, onChange: follower.onChange };
    const copy = proxied.watcher({ pageSize: 50 }).reflect(options, stop.signal);
    await copy.synced(forever);
    const cutsBefore = proxy.connections;

    let writes = 0;
    const worker = async (lane: number): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        const name = `b-${lane}-${i % 20}`;
        const isDeletion = i % 5 === 4;
        if (isDeletion) await direct.client.delete(CONFIG_MAPS, { namespace, name: `b-${lane}-${(i * 7) % 20}` }, {}, forever);
        else await direct.client.apply(CONFIG_MAPS, configMap(namespace, name, String(i)), { ...MANAGER, force: true }, forever);
        writes++;
        if (writes % 40 === 0) proxy.cut();
      }
    };
    await Promise.all([0, 1, 2, 3, 4].map(worker));

    await agrees(copy, namespace);
    assert.equal(writes, 500);
    assert.ok(proxy.connections - cutsBefore >= 2, "the cuts did not reach the watch");
    assert.deepEqual(follower.wrong, []);
    assert.deepEqual(new Map([...follower.versions].sort(byName)), new Map([...versionsOf(copy.list())].sort(byName)));
  });

  test("survives an API server that is away for a while, and reports what happened meanwhile", async () => {
    const namespace = await inNamespace("outage");
    for (const name of ["kept", "removed"]) await direct.client.create(CONFIG_MAPS, configMap(namespace, name, "1"), MANAGER, forever);
    const stop = stopper();
    const follower = new Follower();
    const options = { resource: CONFIG_MAPS, namespace, project: (object: KubeObject) => object, onChange: follower.onChange };
    const copy = proxied.watcher().reflect(options, stop.signal);
    await copy.synced(forever);
    const failuresBefore = logger.entries.length;

    proxy.refusing = true;
    proxy.cut();
    await eventually(() => logger.entries.slice(failuresBefore).filter(({ message }) => message === "list or watch failed").length >= 2, {
      what: "failed attempts",
    });
    await direct.client.delete(CONFIG_MAPS, { namespace, name: "removed" }, {}, forever);
    await direct.client.create(CONFIG_MAPS, configMap(namespace, "added", "1"), MANAGER, forever);
    assert.equal(copy.list().length, 2, "the copy stays as it was last seen");
    proxy.refusing = false;

    await agrees(copy, namespace);
    assert.deepEqual(follower.heard.slice(2).sort(), ["added added", "deleted removed"]);
    assert.equal(copy.hasSynced, true);
  });

  test("gives a connection up that went silent", async () => {
    const namespace = await inNamespace("silent");
    const stop = stopper();
    const options = { resource: CONFIG_MAPS, namespace, project: (object: KubeObject) => object };
    const copy = proxied.watcher({ idleMs: 500, requestTimeoutMs: 500 }).reflect(options, stop.signal);
    await copy.synced(forever);

    proxy.frozen = true;
    await direct.client.create(CONFIG_MAPS, configMap(namespace, "unheard", "1"), MANAGER, forever);
    const seen = copy.lastActivity;
    await eventually(
      () =>
        logger.entries.some(({ message, fields }) => message === "list or watch failed" && String(fields["error"]).includes("(silence)")),
      {
        what: "the attempt on the silent line",
      },
    );
    assert.equal(copy.lastActivity, seen);
    proxy.frozen = false;
    proxy.cut();

    await agrees(copy, namespace);
  });

  test("sees a CRD go and come back: its objects deleted, the kind unserved, and the new objects", async () => {
    const define = (): Promise<KubeObject> =>
      direct.client.apply(RESOURCES.customResourceDefinitions, widgetDefinition(), { ...MANAGER, force: true }, forever);
    const make = (name: string): Promise<Widget> =>
      eventually(() => direct.client.create<Widget>(WIDGETS, widget(name), MANAGER, forever), { what: name });
    const stop = stopper();
    const follower = new Follower();
    const project = (object: KubeObject): KubeObject => object;
    const copy = proxied.watcher().reflect({ resource: WIDGETS, project, onChange: follower.onChange }, stop.signal);
    await eventually(() => copy.isUnserved, { what: "the unserved kind" });
    assert.equal(copy.hasSynced, false);

    await define();
    await make("one");
    await make("two");
    await copy.synced(forever);
    await eventually(() => copy.list().length === 2, { what: "both objects" });
    assert.equal(copy.isUnserved, false);

    await direct.client.delete(RESOURCES.customResourceDefinitions, WIDGET_CRD, {}, forever);
    await eventually(() => copy.isUnserved, { what: "the kind's end" });
    assert.equal(copy.hasSynced, false);

    await define();
    await make("two");
    await copy.synced(forever);
    await eventually(() => versionsOf(copy.list()).has("two") && copy.list().length === 1, { what: "the new object" });
    assert.equal(copy.isUnserved, false);
    assert.deepEqual(follower.heard.filter((entry) => entry.startsWith("deleted")).sort(), ["deleted one", "deleted two"]);
    assert.deepEqual(follower.wrong, []);
  });

  test("reports an object that was replaced while nobody looked as a deletion and an addition", async () => {
    const namespace = await inNamespace("replaced");
    await direct.client.create(CONFIG_MAPS, configMap(namespace, "same-name", "1"), MANAGER, forever);
    const stop = stopper();
    const follower = new Follower();
    const options = { resource: CONFIG_MAPS, namespace, project: (object: KubeObject) => object, onChange: follower.onChange };
    const copy = proxied.watcher().reflect(options, stop.signal);
    await copy.synced(forever);
    proxy.refusing = true;
    proxy.cut();
    await direct.client.delete(CONFIG_MAPS, { namespace, name: "same-name" }, {}, forever);
    await direct.client.create(CONFIG_MAPS, configMap(namespace, "same-name", "1"), MANAGER, forever);
    copy.relist();
    assert.equal(copy.hasSynced, false);
    proxy.refusing = false;

    await copy.synced(forever);
    assert.deepEqual(follower.heard, ["added same-name", "deleted same-name", "added same-name"]);
  });

  test("sees content that a cut schema hides, though the object's version is the same", async () => {
    await direct.client.apply(RESOURCES.customResourceDefinitions, widgetDefinition(), { ...MANAGER, force: true }, forever);
    await eventually(() => direct.client.apply(WIDGETS, widget("cut", { size: 4, colour: "red" }), { ...MANAGER, force: true }, forever), {
      what: "the widget",
    });
    const stop = stopper();
    const changes: { readonly colour: string | undefined; readonly version: string | undefined }[] = [];
    const copy = proxied.watcher().reflect<Widget>(
      {
        resource: WIDGETS,
        project: (object) => (object.metadata.name === "cut" ? object : undefined),
        onChange: (_, { current }) => void changes.push({ colour: current?.spec?.colour, version: current?.metadata.resourceVersion }),
      },
      stop.signal,
    );
    await copy.synced(forever);
    assert.equal(copy.get({ namespace: "default", name: "cut" })?.spec?.colour, "red");

    await direct.client.apply(RESOURCES.customResourceDefinitions, widgetDefinition(["size"]), { ...MANAGER, force: true }, forever);

    await eventually(() => changes.at(-1)?.colour === undefined, { what: "the cut content" });
    assert.equal(changes.at(-1)?.version, changes[0]?.version);
  });

  test("goes on when a handler throws", async () => {
    const namespace = await inNamespace("throwing");
    const stop = stopper();
    const heard: string[] = [];
    const onChange = ({ name }: ObjectRef): void => {
      heard.push(name);
      throw new Error("handler's own failure");
    };
    const copy = proxied.watcher().reflect({ resource: CONFIG_MAPS, namespace, project: (object) => object, onChange }, stop.signal);
    await copy.synced(forever);
    for (const name of ["a", "b"]) await direct.client.create(CONFIG_MAPS, configMap(namespace, name, "1"), MANAGER, forever);
    await eventually(() => heard.length === 2, { what: "both changes" });
    assert.equal(logger.entries.filter(({ message }) => message === "change handler failed").length, 2);
    assert.equal(copy.list().length, 2);
  });

  test("keeps trying where it may not list, and goes on once it may", async () => {
    const namespace = await inNamespace("forbidden");
    await plane.kubectl(["create", "serviceaccount", "late", "-n", namespace]);
    const limited = kubeAccess(await plane.kubeconfigFor({ namespace, name: "late" }), logger);
    const stop = stopper();
    const copy = limited.watcher().reflect({ resource: CONFIG_MAPS, namespace, project: (object) => object }, stop.signal);
    await eventually(
      () => logger.entries.some(({ fields }) => String(fields["error"]).includes(`list configmaps ${namespace}: HTTP 403`)),
      { what: "the refusal" },
    );
    assert.equal(copy.isUnserved, false);

    await plane.kubectl(["create", "role", "reader", "--verb=list,watch", "--resource=configmaps", "-n", namespace]);
    await plane.kubectl(["create", "rolebinding", "reader", "--role=reader", `--serviceaccount=${namespace}:late`, "-n", namespace]);

    await copy.synced(AbortSignal.timeout(20_000));
    await limited.config.close();
  });
});
