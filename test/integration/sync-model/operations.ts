import fc from "fast-check";

/** Names in a namespace of the model test. There are few, so that random choices collide. */
export const CLASS_NAMES = ["ant", "bee", "cat", "dog", "elk", "fox"] as const;
/** Names that a renamed class may get. */
export const FURTHER_NAMES = ["gnu", "hen", "jay"] as const;
export const SECRET_NAMES = ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-6", "s-7"] as const;
export const OBJECT_NAMES = ["o-0", "o-1", "o-2", "o-3"] as const;

const KEYS = ["k0", "k1", "k2", "k3"] as const;
const LABELS = ["l0", "l1", "l2"] as const;
const NOTES = ["n0", "n1", "n2"] as const;

/** The worker rejects one of the last two types. The API server rejects the other with this content. */
export const TYPES = ["Opaque", "example.com/config", "helm.sh/release.v1", "kubernetes.io/dockerconfigjson"] as const;
export const REFUSED_TYPES: readonly string[] = TYPES.slice(2);

export type SyncWord = "always" | "while-used" | "never";

/** A secretObject. `data` contains pairs of key and object. */
export interface WantedSecret {
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly notes: Readonly<Record<string, string>>;
}

export type Field = "data" | "labels" | "annotations";

/** One operation of a user. It does nothing if it does not apply to any object. */
export type Operation =
  // Operations of the owner of a class.
  | { readonly kind: "write the class"; readonly name: string; readonly wanted: readonly WantedSecret[] }
  | { readonly kind: "rename a secretObject"; readonly name: string; readonly at: number; readonly to: string }
  | { readonly kind: "rename the class"; readonly name: string; readonly to: string; readonly isNewFirst: boolean }
  | { readonly kind: "delete the class"; readonly name: string }
  | { readonly kind: "set sync"; readonly name: string; readonly word: SyncWord }
  | { readonly kind: "set adopt"; readonly name: string; readonly secrets: readonly string[] }
  | { readonly kind: "set the schedule"; readonly name: string; readonly interval: string; readonly maxStale: string }
  | { readonly kind: "ask for a refresh"; readonly name: string }
  | { readonly kind: "set the provider"; readonly name: string; readonly provider: string }
  | { readonly kind: "start a pod" | "end the pod"; readonly name: string }
  // Operations of the owner of the vault.
  | { readonly kind: "rotate"; readonly object: string; readonly isAsked: boolean }
  | { readonly kind: "disable" | "enable" | "delete the object"; readonly object: string }
  // Operations of others on any Secret, of any owner.
  | { readonly kind: "make a foreign Secret"; readonly secret: string; readonly agreesTo: string | undefined }
  | { readonly kind: "take the agreement back"; readonly secret: string }
  | {
      readonly kind: "write into the Secret" | "remove from the Secret";
      readonly secret: string;
      readonly field: Field;
      readonly key: string;
    }
  | { readonly kind: "delete the Secret" | "make the Secret immutable" | "take the label off"; readonly secret: string };

export type Burst = readonly Operation[];

/**
 * Everything that happens in one namespace: the operations of a burst follow each other immediately, and the next burst begins when the
 * worker is at rest.
 */
export interface Plan {
  readonly classes: readonly (readonly WantedSecret[])[];
  readonly bursts: readonly Burst[];
}

const className = fc.constantFrom(...CLASS_NAMES);
const anyName = fc.constantFrom(...CLASS_NAMES, ...FURTHER_NAMES);
const secret = fc.constantFrom(...SECRET_NAMES);
const object = fc.constantFrom(...OBJECT_NAMES);
const value = fc.constantFrom("1", "2");

const wantedSecret: fc.Arbitrary<WantedSecret> = fc.record({
  name: secret,
  type: fc.oneof({ weight: 8, arbitrary: fc.constant(TYPES[0]) }, { weight: 3, arbitrary: fc.constantFrom(...TYPES) }),
  data: fc.dictionary(fc.constantFrom<string>(...KEYS), object, { minKeys: 1, maxKeys: 2 }),
  labels: fc.dictionary(fc.constantFrom(...LABELS), value, { maxKeys: 2 }),
  notes: fc.dictionary(fc.constantFrom(...NOTES), value, { maxKeys: 2 }),
});

const wantedSecrets = (most: number) => fc.uniqueArray(wantedSecret, { selector: ({ name }) => name, maxLength: most, size: "max" });

type Kind = Operation["kind"];
type FactsIn<O, K extends Kind> = O extends { readonly kind: infer Kinds } ? (K extends Kinds ? Omit<O, "kind"> : never) : never;
type Facts<K extends Kind> = FactsIn<Operation, K>;

function operation<K extends Kind>(kind: K, facts: fc.Arbitrary<Facts<K>>): fc.Arbitrary<Operation> {
  // The facts belong to this kind, but the compiler cannot infer that from the union.
  return facts.map((found) => ({ kind, ...found }) as unknown as Operation);
}

const ofClass = fc.record({ name: className });
const ofObject = fc.record({ object });
const ofSecret = fc.record({ secret });
const ofEntry = fc.oneof(
  fc.record({ secret, field: fc.constant("data" as const), key: fc.constantFrom(...KEYS) }),
  fc.record({ secret, field: fc.constant("labels" as const), key: fc.constantFrom(...LABELS) }),
  fc.record({ secret, field: fc.constant("annotations" as const), key: fc.constantFrom(...NOTES) }),
);

const operations: readonly (readonly [number, fc.Arbitrary<Operation>])[] = [
  [14, operation("write the class", fc.record({ name: anyName, wanted: wantedSecrets(3) }))],
  [8, operation("rename a secretObject", fc.record({ name: className, at: fc.nat({ max: 2 }), to: secret }))],
  [8, operation("rename the class", fc.record({ name: className, to: anyName, isNewFirst: fc.boolean() }))],
  [9, operation("delete the class", fc.record({ name: anyName }))],
  [4, operation("set sync", fc.record({ name: className, word: fc.constantFrom("always" as const, "while-used", "never", "always") }))],
  [3, operation("set adopt", fc.record({ name: className, secrets: fc.uniqueArray(secret, { maxLength: 4, size: "max" }) }))],
  [
    1,
    operation(
      "set the schedule",
      fc.record({ name: className, interval: fc.constantFrom("10s", "15s", "1s", "soon"), maxStale: fc.constantFrom("30s", "1h") }),
    ),
  ],
  [1, operation("ask for a refresh", ofClass)],
  [1, operation("set the provider", fc.record({ name: className, provider: fc.constantFrom("azure", "vault", "azure") }))],
  [2, operation("start a pod", ofClass)],
  [2, operation("end the pod", ofClass)],
  [6, operation("rotate", fc.record({ object, isAsked: fc.boolean() }))],
  [2, operation("disable", ofObject)],
  [2, operation("enable", ofObject)],
  [1, operation("delete the object", ofObject)],
  [4, operation("make a foreign Secret", fc.record({ secret, agreesTo: fc.option(className, { nil: undefined }) }))],
  [2, operation("take the agreement back", ofSecret)],
  [7, operation("write into the Secret", ofEntry)],
  [3, operation("remove from the Secret", ofEntry)],
  [5, operation("delete the Secret", ofSecret)],
  [2, operation("make the Secret immutable", ofSecret)],
  [1, operation("take the label off", ofSecret)],
];

const anyOperation = fc.oneof(...operations.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** Generates a plan with this many bursts. */
export function planOf(bursts: number): fc.Arbitrary<Plan> {
  return fc.record({
    classes: fc.array(wantedSecrets(3), { minLength: CLASS_NAMES.length, maxLength: CLASS_NAMES.length }),
    bursts: fc.array(fc.array(anyOperation, { minLength: 1, maxLength: 3, size: "max" }), { minLength: bursts, maxLength: bursts }),
  });
}
