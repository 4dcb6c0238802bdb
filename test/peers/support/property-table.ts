/** What the how-to says of properties that the operator and a class read otherwise. */
import { codeSpans, tables } from "../../support/docs/markdown.ts";
import { HOW_TO } from "./how-to.ts";
import { NAMESPACE } from "./peer-world.ts";

export interface DocumentedProperty {
  /** Of the vault; the Secret and the class are called so as well. */
  readonly object: string;
  readonly value: string;
  readonly property: string;
  /** What the operator writes. */
  readonly theirs: string;
  /** What a class writes; undefined: nothing, and it reports the object. */
  readonly ours: string | undefined;
}

/** One for each value of a row. */
export function documentedProperties(): readonly DocumentedProperty[] {
  const table = tables(HOW_TO).find(({ under }) => under.at(-1) === "What a property reads otherwise");
  const rows = table?.rows ?? [];
  return rows.flatMap(([inVault = "", property = "", theirs = "", ours = ""], row) =>
    codeSpans(inVault).map((value, index) => ({
      object: `documented-${row}-${index}`,
      value,
      property: codeSpans(property)[0] ?? "",
      theirs: theirs === "an empty text" ? "" : (codeSpans(theirs)[index] ?? ""),
      ours: ours.startsWith("nothing: ") ? undefined : codeSpans(ours)[index],
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
