import { readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { isObject, type Json, type JsonObject, objectAt, stringAt, textOf } from "../../api/json.ts";
import { PLACES, typeOf } from "../generate/places.ts";
import type { Place } from "../operation.ts";

const MANIFESTS = path.resolve(import.meta.dirname, "../../../../manifests");

/** An object of a manifest, with its address. */
export interface Document {
  readonly place: Place;
  readonly name: string;
  readonly namespace?: string;
  readonly body: JsonObject;
}

/** Reads the objects of one of our files, in their order. */
export function readObjects(file: string): readonly Document[] {
  const documents = parseAllDocuments(readFileSync(path.join(MANIFESTS, file), "utf8")).map((document) => document.toJS() as Json); // Our YAML contains only JSON values.
  return documents.filter(isObject).map((body) => {
    const metadata = objectAt(body, "metadata");
    const namespace = stringAt(metadata, "namespace");
    return { place: placeOf(body), name: stringAt(metadata, "name") ?? "", ...(namespace === undefined ? {} : { namespace }), body };
  });
}

function placeOf(body: JsonObject): Place {
  const found = Object.values<Place>(PLACES).find((place) => {
    const { apiVersion, kind } = typeOf(place);
    return apiVersion === body["apiVersion"] && kind === body["kind"];
  });
  if (found === undefined) throw new Error(`no place for ${textOf(body["apiVersion"])} ${textOf(body["kind"])}`);
  return found;
}
