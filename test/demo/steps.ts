import { randomBytes } from "node:crypto";
import { counted } from "../../src/domain/words.ts";
import { eventually } from "../support/time/eventually.ts";
import { DemoFailure, expect, get, isGone, mirroredValue, type PodSpec, vaultReads } from "./cluster-reads.ts";
import { example, type World } from "./world.ts";

export interface Step {
  readonly title: string;
  /** Returns one line for each check. Throws if a check fails. */
  run(world: World): Promise<readonly string[]>;
}

const CRD = "secretproviderclasses.secrets-store.csi.x-k8s.io";

const theDocument: Step = {
  title: "the document's vault, credentials and class",
  run: async (world) => {
    const { vault, appId, clientSecret, documentClass } = world.names;
    await world.vaultCli(["secret", "set", vault, "DemoSecret", "MyExampleSecret"]);
    const literals = [`--from-literal=clientid=${appId}`, `--from-literal=clientsecret=${clientSecret}`];
    await world.kubectl(["create", "secret", "generic", "secrets-store-creds", ...literals]);
    await world.kubectl(["label", "secret", "secrets-store-creds", "secrets-store.csi.k8s.io/used=true"]);
    await world.kubectl(["apply", "-f", "-"], example("secretproviderclass.yaml", world.names));
    const stored = await get(world, "secretproviderclass", documentClass);
    const pod = example("pod.yaml", world.names);
    const admitted: { spec: PodSpec } = JSON.parse(await world.kubectl(["create", "-f", "-", "-o", "json"], pod));
    const own = admitted.spec.volumes?.filter(({ csi }) => csi !== undefined) ?? [];
    expect(own.length === 1 && own[0]?.name === "secrets-store-inline", "the example pod did not keep its one CSI volume");
    return [
      `class ${stored.metadata.name} is stored as in the example (vault ${vault})`,
      "the example pod is admitted with its own volume",
    ];
  },
};

const injected: Step = {
  title: "an annotated pod is injected",
  run: async (world) => {
    const before: { spec: PodSpec } = JSON.parse(
      await world.kubectl(["create", "--dry-run=client", "-f", "-", "-o", "json"], example("pod-annotated.yaml", world.names)),
    );
    await world.kubectl(["apply", "-f", "-"], example("pod-annotated.yaml", world.names));
    const pod = await get(world, "pod", "busybox-secrets-store-annotated");
    const document = await get(world, "pod", "busybox-secrets-store-inline");
    expect(before.spec.volumes === undefined, "the pod was to be written without a volume");
    const volume = JSON.stringify(csiVolume(pod.spec));
    expect(volume === JSON.stringify(csiVolume(document.spec)), `the injected volume ${volume} differs from that of the example pod`);
    expect(
      JSON.stringify(csiMount(pod.spec)) === JSON.stringify(csiMount(document.spec)),
      "the injected mount differs from that of the example pod",
    );
    expect(pod.metadata.labels?.["keyvault-injector.dev/injected"] === "true", "the pod lacks the label keyvault-injector.dev/injected");
    return [
      "volume, reference, and mount are the same as in the example pod with its own volume:",
      `  + volumes: ${volume}`,
      `  + containers[busybox].volumeMounts: ${JSON.stringify(csiMount(pod.spec))}`,
      `  + annotation keyvault-injector.dev/status: ${pod.metadata.annotations?.["keyvault-injector.dev/status"] ?? ""}`,
    ];
  },
};

function csiVolume(spec: PodSpec | undefined): unknown {
  return spec?.volumes?.find(({ csi }) => csi !== undefined);
}

function csiMount(spec: PodSpec | undefined): unknown {
  return spec?.containers?.[0]?.volumeMounts?.find(({ name }) => name === "secrets-store-inline");
}

/** The class that syncs a Secret, with the names of this run. */
export function mirroredManifest({ names }: Pick<World, "names">): string {
  return example("secretproviderclass-mirrored.yaml", names)
    .replaceAll("akvprovider-demo-mirrored", names.mirroredClass)
    .replaceAll("demo-secret", names.mirroredSecret);
}

const mirrored: Step = {
  title: "a Secret is synced",
  run: async (world) => {
    const { mirroredClass, mirroredSecret } = world.names;
    const before = await vaultReads(world);
    await world.kubectl(["apply", "-f", "-"], mirroredManifest(world));
    await eventually(async () => (await mirroredValue(world)) === "MyExampleSecret", {
      what: `Secret ${mirroredSecret} with the vault's value`,
    });
    const reads = (await vaultReads(world)) - before;
    expect(reads > 0, "the vault's request log has no read by our service principal");
    const status = await eventually(
      async () =>
        (await world.kubectl(["get", "spcsync", mirroredClass, "--no-headers"])).includes("Synced") &&
        (await world.kubectl(["get", "spcsync", mirroredClass])),
      { what: "the class's status" },
    );
    return [
      `Secret ${mirroredSecret} holds the vault's value (${counted(reads, "read")} in the vault's log)`,
      ...status
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    ];
  },
};

const rotated: Step = {
  title: "rotated in the vault: the Secret follows",
  run: async (world) => {
    const value = randomBytes(12).toString("hex");
    const before = await vaultReads(world);
    await world.vaultCli(["secret", "set", world.names.vault, "DemoSecret", value]);
    await eventually(async () => (await mirroredValue(world)) === value, { within: 30_000, what: "the rotated value in the Secret" });
    const { metadata } = await get(world, "secret", world.names.mirroredSecret);
    return [
      `new value after at most one poll of 10 s (${counted((await vaultReads(world)) - before, "read")})`,
      `made from ${metadata.annotations?.["keyvault-injector.dev/objects"] ?? ""}`,
    ];
  },
};

const repaired: Step = {
  title: "edited and deleted by hand: repaired",
  run: async (world) => {
    const { mirroredSecret } = world.names;
    const value = await mirroredValue(world);
    const first = await get(world, "secret", mirroredSecret);
    await world.kubectl(["patch", "secret", mirroredSecret, "-p", JSON.stringify({ stringData: { password: "edited by hand" } })]);
    await eventually(async () => (await mirroredValue(world)) === value, { what: "the repair of the edit" });
    const edited = await get(world, "secret", mirroredSecret);
    expect(edited.metadata.uid === first.metadata.uid, "the edited Secret was replaced instead of repaired");
    await world.kubectl(["delete", "secret", mirroredSecret]);
    await eventually(async () => (await mirroredValue(world)) === value, { what: "the repair of the deletion" });
    const again = await get(world, "secret", mirroredSecret);
    expect(again.metadata.uid !== first.metadata.uid, "the Secret was never deleted");
    return ["the edit was undone on the same object", "the deleted Secret was restored"];
  },
};

const healed: Step = {
  title: "the CRD deleted: CRD and classes restored, the Secret unchanged",
  run: async (world) => {
    const { mirroredSecret, documentClass, mirroredClass } = world.names;
    const secret = await get(world, "secret", mirroredSecret);
    const crd = await get(world, "crd", CRD);
    const from = performance.now();
    await world.kubectl(["delete", "crd", CRD]);
    const newCrd = await eventually(
      async () => {
        const seen = await get(world, "crd", CRD);
        return seen.metadata.uid !== crd.metadata.uid && seen;
      },
      { what: "the CRD's return" },
    );
    await eventually(() => get(world, "secretproviderclass", documentClass), { what: `the return of ${documentClass}` });
    const restored = await eventually(() => get(world, "secretproviderclass", mirroredClass), { what: `the return of ${mirroredClass}` });
    const seconds = ((performance.now() - from) / 1_000).toFixed(1);
    // The snapshot of the new class shows that the worker has finished with the restored class.
    await eventually(async () => (await snapshotUids(world, mirroredClass)).includes(restored.metadata.uid), {
      what: "the restored class's snapshot",
    });
    const after = await get(world, "secret", mirroredSecret);
    expect(
      after.metadata.uid === secret.metadata.uid && after.metadata.resourceVersion === secret.metadata.resourceVersion,
      "the Secret was written although nothing about it changed",
    );
    return [
      `CRD restored (uid ${crd.metadata.uid.slice(0, 8)} -> ${newCrd.metadata.uid.slice(0, 8)}) and both classes after ${seconds} s`,
      `Secret ${mirroredSecret}: same uid, same resourceVersion`,
    ];
  },
};

/** Returns the uids of the classes whose stored snapshots have this class name. */
async function snapshotUids(world: World, className: string): Promise<readonly string[]> {
  const listed = await world.kubectl(["get", "controllerrevisions", "-l", "keyvault-injector.dev/snapshot=true", "-o", "json"]);
  const { items }: { items: { data: { name: string; uid: string } }[] } = JSON.parse(listed);
  return items.filter(({ data }) => data.name === className).map(({ data }) => data.uid);
}

const deleted: Step = {
  title: "the class deleted on purpose: it stays deleted, and its Secret too",
  run: async (world) => {
    const { mirroredClass, mirroredSecret, documentClass } = world.names;
    await world.kubectl(["delete", "secretproviderclass", mirroredClass]);
    await eventually(() => isGone(world, "secret", mirroredSecret), { what: "the Secret's removal" });
    // The snapshot disappears last. Without the snapshot, the worker cannot restore the class.
    await eventually(async () => (await snapshotUids(world, mirroredClass)).length === 0, { what: "the snapshot's removal" });
    expect(await isGone(world, "secretproviderclass", mirroredClass), "the class came back");
    expect(!(await isGone(world, "secretproviderclass", documentClass)), "the other class went along");
    const refused = world.plane.audit().filter(({ code }) => code === 403);
    if (refused.length > 0)
      throw new DemoFailure(
        `the API server denied ${refused.length} requests of the project's ServiceAccounts, the first: ${refused[0]?.verb ?? ""} ${refused[0]?.uri ?? ""}`,
      );
    return [
      "class, Secret, status and snapshot are gone; the other class is untouched",
      `${world.plane.audit().length} requests from the project's two ServiceAccounts, none denied`,
    ];
  },
};

export const steps: readonly Step[] = [theDocument, injected, mirrored, rotated, repaired, healed, deleted];
