import type { JsonObject } from "./json.ts";
import type { FieldSet } from "./managed-fields/field-set.ts";
import type { Cause } from "./refusal.ts";
import type { ObjectShape } from "./schema/shape.ts";

/** Empty for the object itself. */
export type Subresource = "" | "status";

/** One version of a kind as the API server serves it: how it reads, stores, and validates objects. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** For example `v1` or `apps/v1`. */
  readonly apiVersion: string;
  /** For example `secrets` or `leases.coordination.k8s.io`. All versions of a kind share one collection. */
  readonly collection: string;
  readonly shape: ObjectShape;
  /** Whether a CRD defines the kind. */
  readonly isCustom: boolean;
  readonly hasStatus: boolean;
  /** Whether a PUT creates an object that does not exist. */
  readonly createsByUpdate: boolean;
  /** Whether a PUT must name the resourceVersion that it changes. */
  readonly needsVersion: boolean;
  /** Whether a DELETE returns the object. */
  readonly returnsDeleted: boolean;
  /** Whether a deletion ignores dependents of the object. */
  readonly hasNoDependents: boolean;
  /** An object of the kind before the first write. */
  readonly blank: JsonObject;
  /** Fields for field selectors, in addition to the name and the namespace. */
  readonly fieldLabels: Readonly<Record<string, (object: JsonObject) => string>>;
  /** Returns the fields that a request to the subresource cannot change. */
  ignoredFields(subresource: Subresource): FieldSet | undefined;
  /** Whether the server can still read managedFields of that apiVersion. */
  isKnownVersion(apiVersion: string): boolean;
  /** Decodes the body of a request as the server understands it. `before` is an object that was already decoded. Throws a `DecodeProblem`. */
  read(body: JsonObject, before?: JsonObject): JsonObject;
  /** Decodes the result of an apply as the server understands it. */
  complete(object: JsonObject, before?: JsonObject): JsonObject;
  /** Returns a stored object in this version. */
  view(stored: JsonObject): JsonObject;
  /** Returns an object of this version in the form in which it is stored. */
  store(object: JsonObject): JsonObject;
  prepareCreate(object: JsonObject): JsonObject;
  prepareUpdate(object: JsonObject, old: JsonObject, subresource: Subresource): JsonObject;
  createCauses(object: JsonObject): readonly Cause[];
  updateCauses(object: JsonObject, old: JsonObject, subresource: Subresource): readonly Cause[];
}
