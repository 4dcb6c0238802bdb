import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { decidePod, defaults, denialOf, injectedPod, warningsOf } from "../support/webhook/decide-pod.ts";

type Json = Readonly<Record<string, unknown>>;

const containersOf = (value: string): Readonly<Record<string, string>> => ({ ...OPTED_IN, containers: value });
const APP = { name: "app", image: "app:1" };
/** A sidecar as a service mesh adds it, at the path of the default mount: without the exclusion, the injection would conflict with it. */
const SIDECAR = { name: "linkerd-proxy", image: "proxy:1", volumeMounts: [{ name: "data", mountPath: "/mnt/secrets-store" }] };

const withContainers = (pod: Json, containers: readonly unknown[], volumes: readonly unknown[] = []): Json => ({
  ...pod,
  spec: { ...Object(pod["spec"]), containers, ...(volumes.length === 0 ? {} : { volumes }) },
});

/** The value that a denial suggests for the annotation `containers`. */
function advised(message: string): string {
  const [, value] = /keyvault-injector\.dev\/containers: ("[^"]*")$/.exec(message) ?? [];
  return value === undefined ? "none" : String(JSON.parse(value));
}

describe("a container that is left out", () => {
  test("K3: may be one that another webhook adds later: the pod is injected, with a warning, and stays so when the container is there", () => {
    const pod = aPod(containersOf("-linkerd-proxy"));
    const decision = decidePod(pod);

    assert.equal(decision.kind, "patched", JSON.stringify(decision));
    assert.deepEqual(warningsOf(pod), [
      'containers excludes "linkerd-proxy", which the pod lacks: correct the name, unless another webhook adds it later',
    ]);
    const injected = injectedPod(pod);
    const reinvoked: Json = { ...injected, spec: { ...injected.spec, containers: [...injected.spec.containers, SIDECAR] } };
    assert.equal(decidePod(reinvoked).reason, "AlreadyInjected");
    assert.deepEqual(warningsOf(reinvoked), []);
  });

  test("K3: may be written before the container is there, where a taken path advised it", () => {
    const volumes = [{ name: "data", emptyDir: {} }];
    const reinvoked = withContainers(aPod(OPTED_IN), [APP, SIDECAR], volumes);
    const value = advised(denialOf(reinvoked));

    assert.equal(value, "-linkerd-proxy");
    assert.equal(decidePod(aPod(containersOf(value))).kind, "patched", "at the first review, without the sidecar");
    assert.equal(decidePod(withContainers(aPod(containersOf(value)), [APP, SIDECAR], volumes)).kind, "patched", "at the second");
  });

  test("K3: is advised beside those that are left out or listed already, and never where no other one is selected", () => {
    const volumes = [{ name: "data", emptyDir: {} }];
    const taken = (name: string): Json => ({ ...SIDECAR, name });
    const three = (value: string): string =>
      advised(denialOf(withContainers(aPod(containersOf(value)), [APP, taken("proxy"), taken("log")], volumes)));
    const alone = denialOf(withContainers(aPod(OPTED_IN), [taken("app")], volumes));

    assert.equal(three("-log"), "-log,-proxy");
    assert.equal(three("app,proxy"), "app");
    assert.equal(three("log"), "none");
    assert.match(
      alone,
      /where class "akvprovider-demo" would be mounted: set annotation keyvault-injector\.dev\/mount-path to a free path$/,
    );
  });

  test("K3: draws one warning for all that the pod lacks, and none as a default of the Namespace", () => {
    assert.deepEqual(warningsOf(aPod(containersOf("-a,-b"))), [
      'containers excludes "a,b", which the pod lacks: correct the name, unless another webhook adds it later',
    ]);
    assert.deepEqual(warningsOf(aPod(OPTED_IN), { namespace: defaults({ containers: "-a,-b" }) }), []);
  });

  test("K3: does not make render fail, which prints the pod and warns", async () => {
    const metadata = { name: "web", annotations: prefixed(containersOf("-linkerd-proxy")) };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { template: { metadata, spec: { containers: [APP] } } },
    };
    const objects = [aClass(), deployment].map((object) => JSON.stringify(object)).join("\n---\n");
    const { code, output, notes } = await runOffline(["render", "--offline", "-f", "-"], objects);

    assert.equal(code, 0, notes.join("\n"));
    assert.match(output, /secrets-store\.csi\.k8s\.io/);
    assert.match(notes.join("\n"), /excludes "linkerd-proxy", which the pod lacks/);
  });
});

describe("a container that is to get the mounts", () => {
  test("K3: must be there at once, and its denial says what another webhook's container can be", () => {
    assert.equal(
      denialOf(aPod(containersOf("app,linkerd-proxy"))),
      'ContainerNotFound: annotation keyvault-injector.dev/containers names container "linkerd-proxy", but the pod has app: write one of these; ' +
        'a container that another webhook adds later can only be excluded, as "-name"',
    );
  });
});
