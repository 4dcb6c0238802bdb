import type { Json, JsonObject } from "../../api/json.ts";
import type { Batch } from "../batch.ts";
import { PLACES, typeOf } from "../generate/places.ts";
import { type Address, keyOf, type Operation, type Place } from "../operation.ts";
import { Choices } from "../random.ts";
import { namespace } from "./ground.ts";

const KINDS: readonly [Place, ...Place[]] = [PLACES.secrets, PLACES.configMaps, PLACES.leases];
const NAMES: readonly [string, ...string[]] = ["a", "b", "c", "d"];

/** Objects that own each other, and namespaces that are deleted with their content. */
export function controllerBatch(seed: number, { length }: { readonly length: number }): Batch {
  const choices = new Choices(seed);
  const serial = `gc${seed}`;
  const namespaces = [`${serial}-x`, `${serial}-y`] as const;
  const collections = namespaces.flatMap((name) => KINDS.map((place) => ({ place, namespace: name })));
  return {
    serial,
    setup: namespaces.map((name) => ({ ...namespace(name), settles: accountOf(name) })),
    operations: Array.from({ length }, () => anyOperation(choices, namespaces)),
    watches: [],
    states: collections,
    controlled: collections,
  };
}

function accountOf(name: string): Address {
  return { place: PLACES.serviceAccounts, namespace: name, name: "default" };
}

type Namespaces = readonly [string, string];

function anyOperation(choices: Choices, namespaces: Namespaces): Operation {
  const address = anyAddress(choices, choices.chance(0.85) ? namespaces[0] : namespaces[1]);
  return choices.weighted<() => Operation>(
    [10, () => ({ verb: "create", ...address, body: dependent(choices, address, namespaces) })],
    [
      3,
      () => ({
        verb: "merge",
        ...address,
        body: { metadata: { ownerReferences: choices.chance(0.3) ? null : owners(choices, namespaces) } },
      }),
    ],
    [2, () => ({ verb: "merge", ...address, body: { metadata: { finalizers: choices.of<Json>(null, ["example.com/hold"]) } } })],
    [7, () => ({ verb: "delete", ...address, body: deletion(choices) })],
    [0.6, () => namespaceOperation(choices, namespaces)],
  )();
}

function anyAddress(choices: Choices, name: string): Address {
  return { place: choices.of(...KINDS), namespace: name, name: choices.of(...NAMES) };
}

function dependent(choices: Choices, { place, name }: Address, namespaces: Namespaces): JsonObject {
  const metadata = {
    name,
    ...choices.maybe(0.8, () => ({ ownerReferences: owners(choices, namespaces) })),
    ...choices.maybe(0.15, () => ({ finalizers: ["example.com/hold"] })),
  };
  return { ...typeOf(place), metadata };
}

function owners(choices: Choices, namespaces: Namespaces): Json {
  const count = choices.weighted([8, 1], [3, 2]);
  return Array.from({ length: count }, () => owner(choices, namespaces));
}

/** Returns a reference to an owner, which may not exist. */
function owner(choices: Choices, namespaces: Namespaces): JsonObject {
  const address = anyAddress(choices, namespaces[0]);
  return {
    ...typeOf(address.place),
    name: address.name,
    uid: choices.chance(0.9) ? `$uid@${keyOf(address)}` : "11111111-2222-4333-8444-555555555555",
    ...choices.maybe(0.4, () => ({ blockOwnerDeletion: true })),
  };
}

function deletion(choices: Choices): JsonObject {
  const policy = choices.weighted<JsonObject>(
    [5, { propagationPolicy: "Background" }],
    [4, { propagationPolicy: "Foreground" }],
    [3, { propagationPolicy: "Orphan" }],
    [1, {}],
  );
  return { apiVersion: "v1", kind: "DeleteOptions", ...policy };
}

function namespaceOperation(choices: Choices, [, name]: Namespaces): Operation {
  const settles: Address = { place: PLACES.namespaces, name };
  return choices.weighted<() => Operation>(
    [3, () => ({ verb: "delete", ...settles, settles })],
    [3, () => ({ ...namespace(name), settles })],
    [1, () => ({ verb: "merge", ...settles, body: { metadata: { labels: { app: "a" } } } })],
  )();
}
