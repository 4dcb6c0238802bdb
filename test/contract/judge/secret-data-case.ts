import type { SecretObject } from "../../../src/domain/kubernetes.ts";
import type { SecretDataQuestion } from "./secret-data-judge.ts";
import type { SecretDataRow } from "./secret-data-rows.ts";

/** One written case. */
export interface SecretDataCase extends SecretDataQuestion {
  readonly id: string;
  readonly rows: readonly SecretDataRow[];
  /** Row of the compatibility page that allows the difference. */
  readonly listed?: string;
}

type Data = NonNullable<SecretObject["data"]>;
type Contents = string | Uint8Array;

/** Encodes text as UTF-8 bytes. */
export function filesOf(files: Readonly<Record<string, Contents>>): SecretDataQuestion["files"] {
  return Object.entries(files).map(([path, contents]) => [path, typeof contents === "string" ? Buffer.from(contents) : contents]);
}

/** A valid secretObject. A case sets only what differs. */
export function anObject(changes: Partial<SecretObject> = {}): SecretObject {
  return { secretName: "app", type: "Opaque", data: [{ objectName: "one", key: "password" }], ...changes };
}

export interface CaseOptions extends Partial<Omit<SecretDataCase, "id" | "rows" | "files">> {
  readonly files?: Readonly<Record<string, Contents>>;
}

const FILES = { one: "first value", "folder/two": "second value", "three/0": "newest", "three/1": "older" };

export function aCase(id: string, rows: readonly SecretDataRow[], { files = FILES, ...rest }: CaseOptions): SecretDataCase {
  return { id: `secret data: ${id}`, rows, object: anObject(), files: filesOf(files), ...rest };
}

/** A case of type kubernetes.io/tls, with the single file `web`. */
export function aTlsCase(
  id: string,
  rows: readonly SecretDataRow[],
  contents: Contents,
  { keys = ["tls.crt", "tls.key"], ...rest }: CaseOptions & { readonly keys?: readonly string[] } = {},
): SecretDataCase {
  const data: Data = keys.map((key) => ({ objectName: "web", key }));
  const object = anObject({ type: "kubernetes.io/tls", data });
  return aCase(`tls: ${id}`, rows, { object, files: { web: contents }, ...rest });
}
