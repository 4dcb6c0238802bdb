import assert from "node:assert/strict";
import type { Random } from "../../support/fixtures/random.ts";
import { type Json, listOf, objectOf } from "./type-rules.ts";

const PREFIX = "keyvault-injector.dev";
const DRIVER = "secrets-store.csi.k8s.io";

/** A class in the form in which the documentation adds it to the pod. */
interface Wanted {
  readonly volume: string;
  readonly mountPath: string;
  readonly csi: Json;
  /** Whether the pod itself specifies the volume. */
  readonly isOwn: boolean;
}

/** Annotations of a pod, and the additions that they cause. */
export interface Request {
  readonly annotations: Readonly<Record<string, string>>;
  readonly wanted: readonly Wanted[];
  /** Names of the containers that get the mounts. */
  readonly containers: readonly string[];
}

/** Whether each class uses a service principal. `later` does not exist yet, but could use one later. */
export const CLASSES = { principal: true, workload: false, later: true } as const;
type ClassName = keyof typeof CLASSES;

/**
 * The component that injects. A policy does not read classes: it adds a credentials reference for each class unless the annotations say
 * otherwise.
 */
export type InjectionMode = "webhook" | "policy";

/** Returns random annotations for a pod with this spec. May add a volume to the spec that is equal to the requested one. */
export function requestFor(spec: Json, random: Random, mode: InjectionMode): Request {
  const all = random.pick<readonly ClassName[]>([
    ["principal"],
    ["workload"],
    ["later"],
    ["principal", "workload"],
    ["later", "principal"],
  ]);
  const paths = perClass({ all, random, fallback: "/mnt/secrets-store", chosen: "/vault", join: "/" });
  const names = perClass({ all, random, fallback: "secrets-store-inline", chosen: "vault", join: "-" });
  const secrets = random.pick<Choice>([
    { of: (name) => (CLASSES[name] || mode === "policy" ? "secrets-store-creds" : undefined) },
    { value: "none", of: () => undefined },
    { value: "mine", of: () => "mine" },
    { value: all.map((name) => `${name}=${name}-creds`).join(","), of: (name) => `${name}-creds` },
  ]);
  const own = all.length === 1 && random.chance(0.2);
  const wanted = all.map((name): Wanted => {
    const secret = secrets.of(name);
    const reference = secret === undefined ? {} : { nodePublishSecretRef: { name: secret } };
    const csi = { driver: DRIVER, readOnly: true, volumeAttributes: { secretProviderClass: name }, ...reference };
    return { volume: own ? "own" : (names.of(name) ?? ""), mountPath: paths.of(name) ?? "", csi, isOwn: own };
  });
  if (own) bringAlong(spec, wanted);
  const selection = containersFor(spec, random);
  const given = {
    inject: "true",
    "secret-provider-class": all.join(","),
    "mount-path": paths.value,
    "volume-name": names.value,
    "credentials-secret": secrets.value,
    containers: selection.value,
  };
  const annotations = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[`${PREFIX}/${key}`, value]]));
  return { annotations: Object.fromEntries(annotations), wanted, containers: selection.names };
}

interface Choice {
  /** Value of the annotation. Absent if the pod lacks the annotation. */
  readonly value?: string;
  of(name: ClassName): string | undefined;
}

interface Options {
  readonly all: readonly ClassName[];
  readonly random: Random;
  readonly fallback: string;
  readonly chosen: string;
  readonly join: string;
}

/** Picks one of three forms: no value, one value for all classes, or one value for each class by name. */
function perClass({ all, random, fallback, chosen, join }: Options): Choice {
  const spread = (value: string, name: string): string => (all.length === 1 ? value : `${value}${join}${name}`);
  return random.pick<Choice>([
    { of: (name) => spread(fallback, name) },
    { value: chosen, of: (name) => spread(chosen, name) },
    { value: all.map((name) => `${name}=${chosen}-of-${name}`).join(","), of: (name) => `${chosen}-of-${name}` },
  ]);
}

function containersFor(spec: Json, random: Random): { readonly value?: string; readonly names: readonly string[] } {
  const names = [...listOf(spec, "initContainers"), ...listOf(spec, "containers")].map(({ name }) => String(name));
  const chosen = random.pick(names);
  const others = names.filter((name) => name !== chosen);
  const choices = [{ names }, { value: chosen, names: [chosen] }, { value: `-${chosen}`, names: others }];
  return random.pick(choices.filter((choice) => choice.names.length > 0));
}

/** Adds the volume to the spec, and a mount at the first container's own path. */
function bringAlong(spec: Json, wanted: readonly Wanted[]): void {
  for (const { volume, csi } of wanted) {
    spec["volumes"] = [...listOf(spec, "volumes"), { name: volume, csi }];
    const [first] = listOf(spec, "containers");
    if (first !== undefined)
      first["volumeMounts"] = [...listOf(first, "volumeMounts"), { name: volume, mountPath: "/own", readOnly: true }];
  }
}

/**
 * Returns the stored pod without the documented additions and without the request's annotations. Fails if an addition is missing or differs
 * from the documentation.
 */
export function withoutAdditions(stored: Json, request: Request): Json {
  const pod = structuredClone(stored);
  const metadata = objectOf(pod, "metadata");
  const status: unknown = JSON.parse(String(take(metadata, "annotations", `${PREFIX}/status`)));
  const { volumes, classes } = status as Json; // JSON that the assertions check.
  assert.deepEqual(
    volumes,
    request.wanted.map(({ volume }) => volume),
  );
  assert.deepEqual(
    classes,
    request.wanted.map(({ csi }) => objectOf(csi, "volumeAttributes")["secretProviderClass"]),
  );
  for (const [key, value] of Object.entries(request.annotations)) assert.equal(take(metadata, "annotations", key), value);
  assert.equal(take(metadata, "labels", `${PREFIX}/injected`), "true");
  const spec = objectOf(pod, "spec");
  for (const { volume, csi, isOwn } of request.wanted) if (!isOwn) takeItem(spec, "volumes", { name: volume, csi });
  for (const container of [...listOf(spec, "initContainers"), ...listOf(spec, "containers")]) takeMounts(container, request);
  return pod;
}

function takeMounts(container: Json, { wanted, containers }: Request): void {
  if (!containers.includes(String(container["name"]))) return;
  for (const { volume, mountPath } of wanted) {
    const hasOwn = listOf(container, "volumeMounts").some((mount) => mount["name"] === volume && mount["mountPath"] === "/own");
    if (!hasOwn) takeItem(container, "volumeMounts", { name: volume, mountPath, readOnly: true });
  }
}

/** Removes a member and returns it. Removes the map with its last member. */
function take(owner: Json, map: string, key: string): unknown {
  const members = objectOf(owner, map);
  const value = members[key];
  assert.notEqual(value, undefined, `${map} has ${key}`);
  delete members[key];
  if (Object.keys(members).length === 0) delete owner[map];
  return value;
}

/** Removes the item with this name and content. Removes the list with its last item. */
function takeItem(owner: Json, list: string, wanted: Json): void {
  const items = listOf(owner, list);
  const found = items.filter(({ name }) => name === wanted["name"]);
  assert.deepEqual(found, [wanted]);
  owner[list] = items.filter((item) => item !== found[0]);
  if (items.length === 1) delete owner[list];
}
