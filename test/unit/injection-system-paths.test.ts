import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, denialOf, injectedPod, warningsOf } from "../support/webhook/decide-pod.ts";

type Json = Readonly<Record<string, unknown>>;

const WINDOWS = { os: { name: "windows" } };
const podAt = (path: string, spec: Json = {}): Json => aPod({ ...OPTED_IN, "mount-path": path }, spec);
const isPatched = (pod: Json): boolean => decidePod(pod).kind === "patched";

/** The mount that the API server adds to every container of a pod with a ServiceAccount. */
const TOKEN = {
  containers: [
    {
      name: "app",
      image: "app:1",
      volumeMounts: [{ name: "kube-api-access-x7k2p", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
    },
  ],
  volumes: [{ name: "kube-api-access-x7k2p", projected: { sources: [] } }],
};

describe("a mount where kubelet, runtime or system have their own", () => {
  const linux = (
    "/run /var/run /run/ /etc/hosts /etc/resolv.conf /etc/hostname /etc/passwd /etc/hosts/inside " +
    "/dev/termination-log /dev/shm /dev/null /dev/pts/inside"
  ).split(" ");
  const windows = ["C:\\Windows", "c:/windows/System32"];
  for (const [path, spec] of [...linux.map((path) => [path, {}] as const), ...windows.map((path) => [path, WINDOWS] as const)]) {
    test(`K4: is refused, since a container does not start with it: ${path}`, () => {
      const decision = decidePod(podAt(path, spec));

      assert.equal(decision.kind, "denied", JSON.stringify(decision));
      assert.match(
        denialOf(podAt(path, spec)),
        /^InvalidAnnotation: .* would break the container, because the kubelet, the runtime, or the system uses that path/,
      );
    });
  }

  for (const path of ["/run/app", "/var/run/app", "/etc/app", "/dev/app", "/dev/shm/app", "/etc/hosts.d"]) {
    test(`is not what lies beside or below it: ${path}`, () => assert.ok(isPatched(podAt(path))));
  }

  test("K4: is judged by where each class goes: several go below the path", () => {
    const two = { ...OPTED_IN, "secret-provider-class": "akvprovider-demo,hosts", "mount-path": "/run" };

    assert.equal(decidePod(aPod(two)).kind, "patched");
    assert.match(denialOf(aPod({ ...two, "mount-path": "/etc" })), /a mount at "\/etc\/hosts" would break the container/);
  });
});

describe("a mount around the token of the account", () => {
  test("K4: is refused where the container has a token, under either spelling of the path", () => {
    for (const path of ["/run/secrets", "/var/run/secrets", "/run/secrets/", "/run/secrets/kubernetes.io/serviceaccount"]) {
      const decision = decidePod(podAt(path, TOKEN));

      assert.equal(decision.reason, "MountPathTaken", JSON.stringify(decision));
    }
  });

  for (const path of ["/run/secrets", "/var/run/secrets", "/run/secrets/", "/var/run/secrets/kubernetes.io/serviceaccount"]) {
    test(`K4: is warned of where it has none, yet: ${path}`, () => {
      const shown = path.replace(/\/$/, "");
      assert.deepEqual(warningsOf(podAt(path)), [`mount-path "${shown}": a container with a token there does not start`]);
    });
  }

  test("K4: is refused on Windows too where the container has a token, and warned of where it has none", () => {
    const path = "C:\\var\\run\\Secrets";

    assert.equal(decidePod(podAt(path, { ...TOKEN, ...WINDOWS })).reason, "MountPathTaken");
    assert.match(warningsOf(podAt(path, WINDOWS)).join(), /^mount-path "C:\\var\\run\\Secrets": a container with a token there/);
  });

  test("K4: is refused with the reason why two spellings meet", () => {
    assert.match(
      denialOf(podAt("/run/secrets", TOKEN)),
      /at "\/var\/run\/secrets\/kubernetes\.io\/serviceaccount" \("\/var\/run" is a link to "\/run" in most images\), inside "\/run\/secrets", where/,
    );
    assert.match(denialOf(podAt("/var", TOKEN)), /at "\/var\/run\/secrets\/kubernetes\.io\/serviceaccount", inside "\/var", where/);
  });

  test("K4: fails in render, but where the pod says that it wants no token", async () => {
    const render = async (spec: Json): Promise<number> => {
      const objects = [aClass(), podAt("/run/secrets", { containers: [{ name: "app", image: "app:1" }], ...spec })];
      return (await runOffline(["render", "--offline", "-f", "-"], objects.map((object) => JSON.stringify(object)).join("\n---\n"))).code;
    };

    assert.equal(await render({}), 1);
    assert.equal(await render({ automountServiceAccountToken: false }), 0);
  });
});

describe("a mount through the link of /var/run", () => {
  const taken = (mountPath: string): Json => ({
    containers: [{ name: "app", image: "app:1", volumeMounts: [{ name: "data", mountPath }] }],
    volumes: [{ name: "data", emptyDir: {} }],
  });

  test("K4: meets what the container has at the other spelling", () => {
    assert.match(denialOf(podAt("/run/app", taken("/var/run/app"))), /^MountPathTaken: container "app" already has volume "data"/);
    assert.match(denialOf(podAt("/var/run/app", taken("/run/app/cache"))), /^MountPathTaken: .* inside "\/var\/run\/app"/);
    assert.deepEqual(warningsOf(podAt("/run/app/kv", taken("/var/run/app"))), [
      'container "app": the mount creates an empty directory "kv" in volume "data"',
    ]);
    assert.ok(isPatched(podAt("/run/app", taken("/var/run/other"))));
  });

  test("K4: is one place for two classes", () => {
    const annotations = { ...OPTED_IN, "secret-provider-class": "a,b", "mount-path": "a=/run/x,b=/var/run/x/y" };

    assert.match(denialOf(aPod(annotations)), /class b would be mounted at "\/var\/run\/x\/y", inside the mount of class a/);
  });
});

describe("a mount that hides what an image has", () => {
  for (const [path, spec] of [
    ["/usr", {}],
    ["/bin", {}],
    ["/tmp", {}],
    ["/etc/ssl", {}],
    ["C:\\Program Files", WINDOWS],
  ] as const) {
    test(`K4: is made, with a warning: ${path}`, () => {
      assert.deepEqual(warningsOf(podAt(path, spec)), [`mount-path "${path}" hides files of the image, such as programs and libraries`]);
      assert.ok(isPatched(podAt(path, spec)));
    });
  }

  test("draws no warning where nothing is added, and none beside it", () => {
    assert.deepEqual(warningsOf(injectedPod(podAt("/usr"))), []);
    assert.deepEqual(warningsOf(podAt("/usr/secrets")), []);
  });
});
