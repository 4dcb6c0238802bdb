/** Reads the table in docs/reference/conversion.md of properties that the operator and a class interpret differently. */
import { readRepositoryFile } from "../../../tools/repository-files.ts";
import { codeSpans, tables } from "../../support/docs/markdown.ts";
import { NAMESPACE } from "./peer-world.ts";

export interface DocumentedProperty {
  /** Name of the object in the vault, and of the Secret and the class. */
  readonly object: string;
  readonly value: string;
  readonly property: string;
  /** Result of the operator. */
  readonly theirs: string;
  /** Result of a class. Undefined if it writes nothing and reports the object. */
  readonly ours: string | undefined;
}

const [PAGE, HEADING] = ["docs/reference/conversion.md", "Properties with different values"];

/** Returns one entry for each value of a row. Throws if the page has no such table. */
export function documentedProperties(): readonly DocumentedProperty[] {
  const rows = tables(readRepositoryFile(PAGE)).find(({ under }) => under.at(-1) === HEADING)?.rows ?? [];
  if (rows.length === 0) throw new Error(`${PAGE} has no table below "${HEADING}"`);
  return rows.flatMap(([inVault = "", property = "", theirs = "", ours = ""], row) =>
    codeSpans(inVault).map((value, index) => ({
      object: `documented-${row}-${index}`,
      value,
      property: codeSpans(property)[0] ?? "",
      theirs: theirs === "an empty string" ? "" : (codeSpans(theirs)[index] ?? ""),
      ours: ours.startsWith("nothing") ? undefined : codeSpans(ours)[index],
    })),
  );
}

export function manifestsOf(documented: readonly DocumentedProperty[]): readonly object[] {
  return documented.map(({ object, property }) => ({
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name: object, namespace: NAMESPACE },
    spec: {
      secretStoreRef: { name: "vault" },
      data: [{ secretKey: "value", remoteRef: { key: object, property } }],
    },
  }));
}
