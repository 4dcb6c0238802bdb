import { convertObjects } from "../../src/domain/convert/convert.ts";
import type { ConvertOptions } from "../../src/domain/convert/options.ts";
import type { PeerObject } from "../../src/domain/convert/peer-object.ts";
import { CONVERTED, type Manifest, NAMED } from "./manifests.ts";

/** Values that a user of `convert` knows and that manifests may omit. */
const OPTIONS: ConvertOptions = {
  tenantId: "00000000-0000-0000-0000-000000000000",
  clientId: "00000000-0000-0000-0000-000000000000",
  serviceAccount: "default",
  identityId: undefined,
  isPartial: false,
  isAdopting: false,
};

/** Resources of another provider, of a generator, or of a store that is not in the repository: no conversion is possible for them. */
const FOREIGN =
  /^spec\.secretStoreRef: (?:a store is not in|a store: its provider is|the store's name is missing)|^spec\.provider: |is of provider|^kind: /;

interface Tally {
  converted: number;
  total: number;
  readonly reasons: Map<string, number>;
}

export class Tallies {
  readonly #byKind = new Map<string, Tally>();
  readonly #passedOver = new Map<string, number>();

  /** Adds the manifests of one repository. For an object that a manifest refers to, its own folder has priority. */
  add(manifests: readonly Manifest[]): void {
    for (const manifest of manifests) {
      const others = manifests.filter((each) => each !== manifest);
      const near = others.filter(({ folder }) => folder === manifest.folder);
      const far = others.filter(({ folder }) => folder !== manifest.folder);
      const named = [...near, ...far].flatMap(({ objects }) => objects.filter(({ kind }) => NAMED.includes(kind)));
      this.#judge(manifest.objects, named);
    }
  }

  lines(): readonly string[] {
    const kinds = [...this.#byKind].sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      ...kinds.flatMap(([kind, { converted, total, reasons }]) => [`${kind}: ${converted}/${total} converted`, ...countLines(reasons)]),
      "passed over:",
      ...countLines(this.#passedOver),
    ];
  }

  #judge(objects: readonly PeerObject[], named: readonly PeerObject[]): void {
    const { outcomes, remarks } = convertObjects([...objects, ...named], OPTIONS);
    for (const { from, isConverted } of outcomes.filter(({ from }) => objects.includes(from) && CONVERTED.includes(from.kind))) {
      const errors = remarks.filter(({ on, severity }) => on === from && severity === "error").map(({ message }) => general(message));
      const foreign = errors.find((message) => FOREIGN.test(message));
      if (foreign === undefined) this.#count(from.kind, isConverted, new Set(errors));
      else countOne(this.#passedOver, `${from.kind}: ${foreign}`);
    }
  }

  #count(kind: string, isConverted: boolean, reasons: ReadonlySet<string>): void {
    const tally = this.#byKind.get(kind) ?? { converted: 0, total: 0, reasons: new Map<string, number>() };
    this.#byKind.set(kind, tally);
    tally.total += 1;
    if (isConverted) tally.converted += 1;
    for (const reason of reasons) countOne(tally.reasons, reason);
  }
}

function countOne(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function countLines(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts].sort(([, one], [, other]) => other - one).map(([what, count]) => `  ${String(count).padStart(4)}  ${what}`);
}

const LONGEST = 160;

/** The reason without names and values of the one object. */
function general(message: string): string {
  return message
    .replaceAll(/\[\d+\]/g, "[]")
    .replaceAll(/"[^"]*"/g, "…")
    .replace(/^(spec\.secretStoreRef: )(?:Cluster)?SecretStore \S+?(:| is)/, "$1a store$2")
    .replace(/^(spec\.secretProviderClassName: )SecretProviderClass.*/, "$1the class is not in these files")
    .replace(/(template\.(?:data|metadata\.\w+))\[[^\]]*\]/, "$1[]")
    .slice(0, LONGEST);
}
