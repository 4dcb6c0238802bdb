import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, denialOf, injectedPod, warningsOf } from "../support/webhook/decide-pod.ts";

const P = "keyvault-injector.dev";

interface Existing {
  readonly mountPath: string;
  readonly volume?: Readonly<Record<string, unknown>>;
  readonly mount?: Readonly<Record<string, unknown>>;
}

/** A pod with a container that mounts a volume at a path. */
function podWith({ mountPath, volume = { emptyDir: {} }, mount = {} }: Existing, annotations: Readonly<Record<string, string>> = {}) {
  const containers = [{ name: "app", volumeMounts: [{ name: "data", mountPath, ...mount }] }];
  return aPod({ ...OPTED_IN, ...annotations }, { volumes: [{ name: "data", ...volume }], containers });
}

describe("a mount in the way", () => {
  test("inside of ours is refused: nothing can be made in what is read-only", () => {
    assert.equal(
      denialOf(podWith({ mountPath: "/mnt/secrets-store/cache" })),
      'MountPathTaken: container "app" has volume "data" at "/mnt/secrets-store/cache", inside "/mnt/secrets-store", where class ' +
        `"akvprovider-demo" would be mounted read-only: set annotation ${P}/mount-path to a free path`,
    );
  });

  test("around ours is refused where it is read-only, by its mount or by its nature", () => {
    const readOnly: readonly Existing[] = [
      { mountPath: "/mnt", mount: { readOnly: true } },
      { mountPath: "/mnt", volume: { configMap: { name: "c" } } },
      { mountPath: "/mnt", volume: { secret: { secretName: "s" } } },
      { mountPath: "/mnt", volume: { projected: { sources: [] } } },
      { mountPath: "/mnt", volume: { image: { reference: "i" } } },
      { mountPath: "/mnt", volume: { persistentVolumeClaim: { claimName: "c", readOnly: true } } },
    ];
    for (const existing of readOnly) {
      assert.match(
        denialOf(podWith(existing)),
        /^MountPathTaken: container "app" has volume "data" at "\/mnt", read-only: class "akvprovider-demo" cannot be mounted inside it/,
      );
    }
  });

  test("around ours that can be written to is told", () => {
    assert.deepEqual(warningsOf(podWith({ mountPath: "/mnt" })), [
      'container "app": the mount creates an empty directory "secrets-store" in volume "data"',
    ]);
    assert.deepEqual(warningsOf(podWith({ mountPath: "/mnt", mount: { subPath: "apps/" } })), [
      'container "app": the mount creates an empty directory "apps/secrets-store" in volume "data"',
    ]);
  });

  test("AT20-7: is compared with sixteen classes in hardly more time than with one, however many mounts a container has at one place", () => {
    const volumeMounts = Array.from({ length: 40_000 }, () => ({ name: "v", mountPath: "/" }));
    const cost = (classes: number): number => {
      const names = Array.from({ length: classes }, (_, index) => `c${index}`).join(",");
      const pod = aPod({ ...OPTED_IN, "secret-provider-class": names }, { containers: [{ name: "app", volumeMounts }] });
      const started = process.cpuUsage();
      assert.equal(decidePod(pod).kind, "patched");
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    const least = (classes: number): number => Math.min(...Array.from({ length: 5 }, () => cost(classes)));
    const [one, sixteen] = [least(1), least(16)];

    assert.ok(sixteen < 2 * one, `${sixteen} µs, and ${one} µs with one class`);
  });

  test("is judged by the innermost of several", () => {
    const volumeMounts = [
      { name: "outer", mountPath: "/mnt", readOnly: true },
      { name: "inner", mountPath: "/mnt/secrets-store" },
    ];
    const volumes = ["outer", "inner"].map((name) => ({ name, emptyDir: {} }));
    const pod = aPod({ ...OPTED_IN, "mount-path": "/mnt/secrets-store/kv" }, { volumes, containers: [{ name: "app", volumeMounts }] });

    assert.equal(decidePod(pod).kind, "patched");
  });

  test("is read-only where one of two at the same place is, in whatever order: the later covers the earlier", () => {
    const mounts = [
      { name: "a", mountPath: "/mnt" },
      { name: "b", mountPath: "/mnt/", readOnly: true },
    ];
    for (const volumeMounts of [mounts, mounts.toReversed()]) {
      const volumes = ["a", "b"].map((name) => ({ name, emptyDir: {} }));

      assert.match(
        denialOf(aPod(OPTED_IN, { volumes, containers: [{ name: "app", volumeMounts }] })),
        /volume "b" at "\/mnt\/", read-only/,
      );
    }
  });

  test("is recognised in every spelling that the kubelet or the runtime resolves", () => {
    for (const mountPath of ["mnt/secrets-store", "/mnt/./secrets-store//", "/mnt/x/../secrets-store"]) {
      assert.match(denialOf(podWith({ mountPath })), /^MountPathTaken: container "app" already has volume "data"/);
    }
    assert.equal(decidePod(podWith({ mountPath: "/mnt/secrets-store-2" })).kind, "patched");
  });

  test("may be the termination message", () => {
    const containers = [{ name: "app", terminationMessagePath: "/mnt/secrets-store/log" }];

    assert.match(denialOf(aPod(OPTED_IN, { containers })), /^MountPathTaken: container "app" has its termination message at/);
  });
});

describe("a path of the system", () => {
  for (const path of ["/proc", "/proc/1/x", "/sys/fs", "/dev", "/etc", "/etc/"]) {
    test(`is refused: ${path}`, () => {
      assert.match(denialOf(aPod({ ...OPTED_IN, "mount-path": path })), /would break the container/);
    });
  }
  for (const path of ["/etc/secrets", "/dev/secrets", "/process"]) {
    test(`is not what lies beside or below: ${path}`, () => {
      assert.equal(decidePod(aPod({ ...OPTED_IN, "mount-path": path })).kind, "patched");
    });
  }
});

describe("a Windows pod", () => {
  const windows = { os: { name: "windows" } };
  const mountedAt = (annotations: Readonly<Record<string, string>>, spec: object = windows) =>
    injectedPod(aPod({ ...OPTED_IN, ...annotations }, { ...spec })).spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath);

  test("has the same default, before which the kubelet puts the drive", () => {
    assert.deepEqual(mountedAt({}), ["/mnt/secrets-store"]);
  });

  test("takes paths with a drive, by either separator, and those without", () => {
    assert.deepEqual(mountedAt({ "mount-path": "C:\\secrets\\\\kv\\" }), ["C:\\secrets\\kv"]);
    assert.deepEqual(mountedAt({ "mount-path": "d:/secrets/kv" }), ["d:\\secrets\\kv"]);
    assert.deepEqual(mountedAt({ "mount-path": "\\secrets" }), ["\\secrets"]);
    assert.deepEqual(mountedAt({ "mount-path": "/secrets/kv" }), ["/secrets/kv"]);
    assert.deepEqual(mountedAt({ "mount-path": "C:\\a=b" }), ["C:\\a=b"]);
  });

  test("is also one that only selects Windows nodes", () => {
    assert.deepEqual(mountedAt({ "mount-path": "C:\\secrets" }, { nodeSelector: { "kubernetes.io/os": "windows" } }), ["C:\\secrets"]);
    assert.match(denialOf(aPod({ ...OPTED_IN, "mount-path": "C:\\secrets" })), /only a Windows pod has drives/);
  });

  test("gets several classes below a common path, or each at its own", () => {
    const two = { "secret-provider-class": "a,b" };

    assert.deepEqual(mountedAt({ ...two, "mount-path": "C:\\secrets" }), ["C:\\secrets\\a", "C:\\secrets\\b"]);
    assert.deepEqual(mountedAt({ ...two, "mount-path": "a=C:\\x,b=D:\\x" }), ["C:\\x", "D:\\x"]);
    assert.match(denialOf(aPod({ ...OPTED_IN, ...two, "mount-path": "a=/x,b=c:\\X\\y" }, windows)), /inside the mount of class a/);
  });

  test("is refused what Windows does not take", () => {
    for (const path of ["C:", "C:\\", "secrets", "\\\\server\\share", "C:\\a\\..\\b", "C:\\a:b", 'C:\\"a"', `C:\\${"x".repeat(260)}`]) {
      assert.match(denialOf(aPod({ ...OPTED_IN, "mount-path": path }, windows)), /^InvalidAnnotation/, path);
    }
  });

  test("has one place under many spellings", () => {
    for (const mountPath of ["c:\\MNT\\Secrets-Store", "C:/mnt/secrets-store", "\\mnt\\secrets-store\\"]) {
      const pod = { ...podWith({ mountPath }) };
      const denied = denialOf({ ...pod, spec: { ...Object(pod["spec"]), ...windows } });
      assert.ok(denied.startsWith(`MountPathTaken: container "app" already has volume "data" at "${mountPath}", where`), denied);
    }
  });
});
