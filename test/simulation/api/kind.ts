import type { JsonObject } from "./json.ts";
import type { FieldSet } from "./managed-fields/field-set.ts";
import type { Cause } from "./refusal.ts";
import type { ObjectShape } from "./schema/shape.ts";

/** Empty: the object itself. */
export type Subresource = "" | "status";

/** One version of a kind as the API server serves it: what is read and stored, and what is refused. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** `v1`, or `apps/v1`. */
  readonly apiVersion: string;
  /** `secrets`, or `leases.coordination.k8s.io`: all versions of a kind are stored in one place. */
  readonly collection: string;
  readonly shape: ObjectShape;
  /** Of a CRD. */
  readonly isCustom: boolean;
  readonly hasStatus: boolean;
  /** A PUT onto nothing creates. */
  readonly createsByUpdate: boolean;
  /** A PUT has to say which resourceVersion it changes. */
  readonly needsVersion: boolean;
  /** A DELETE answers with the object. */
  readonly returnsDeleted: boolean;
  /** Dependents are never asked after. */
  readonly hasNoDependents: boolean;
  /** An object of the kind that nobody has written to. */
  readonly blank: JsonObject;
  /** What a field selector may name, beside the name and the namespace. */
  readonly fieldLabels: Readonly<Record<string, (object: JsonObject) => string>>;
  /** What a request to the subresource cannot change. */
  ignoredFields(subresource: Subresource): FieldSet | undefined;
  /** Whether managedFields of that apiVersion can still be read. */
  isKnownVersion(apiVersion: string): boolean;
  /** The body of a request as the server understands it; `before` is an object that was read already. Throws a `DecodeProblem`. */
  read(body: JsonObject, before?: JsonObject): JsonObject;
  /** What an apply has merged, as the server understands it. */
  complete(object: JsonObject, before?: JsonObject): JsonObject;
  /** A stored object as this version shows it. */
  view(stored: JsonObject): JsonObject;
  /** An object of this version as it is stored. */
  store(object: JsonObject): JsonObject;
  prepareCreate(object: JsonObject): JsonObject;
  prepareUpdate(object: JsonObject, old: JsonObject, subresource: Subresource): JsonObject;
  createCauses(object: JsonObject): readonly Cause[];
  updateCauses(object: JsonObject, old: JsonObject, subresource: Subresource): readonly Cause[];
}
