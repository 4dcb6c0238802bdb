import { type ClassSnapshot, canonical, restoredClass } from "../../domain/healing/snapshot.ts";
import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Viewer } from "../cluster.ts";
import { CommandFailure } from "../command.ts";
import { toYaml } from "../manifest/yaml.ts";
import { unifiedDiff } from "../render/diff.ts";
import type { StoredSnapshot } from "./snapshots.ts";

export const SNAPSHOT_STATES = {
  missing: "the class is not there: it can be restored",
  same: "the class is there as the snapshot has it",
  differs: "the class is there and another: it is left alone unless --force is given",
  forged: "this install did not write the snapshot, or not with its key: it is never restored",
  unknown: "you may not read the class",
} as const;

export type SnapshotState = keyof typeof SNAPSHOT_STATES;

export interface Restorable {
  readonly namespace: string;
  readonly name: string;
  /** Name of the ControllerRevision. */
  readonly revision: string;
  readonly taken: string | undefined;
  readonly state: SnapshotState;
  readonly message: string;
  /** From the live class to the snapshot's, where they differ. Classes hold no values. */
  readonly diff?: string;
}

interface Verified {
  readonly snapshot: ClassSnapshot;
}

interface Compared extends Verified {
  readonly live: SecretProviderClass;
}

/** A snapshot, with the class as it is now where that is known. */
export type Candidate = Restorable &
  (
    | { readonly state: "forged" | "unknown" }
    | ({ readonly state: "missing" } & Verified)
    | ({ readonly state: "same" | "differs" } & Compared)
  );

export async function compareAll(viewer: Viewer, snapshots: readonly StoredSnapshot[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const stored of snapshots) candidates.push(await compare(viewer, stored));
  return candidates;
}

async function compare(viewer: Viewer, { ref, className, taken, snapshot }: StoredSnapshot): Promise<Candidate> {
  const facts = { namespace: ref.namespace, name: className, revision: ref.name, taken };
  if (snapshot === undefined) {
    const message = "this install did not write it, or not with the key that it has now, or it is a later copy: nothing in it is believed";
    return { ...facts, state: "forged", message };
  }
  const look = await viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace: ref.namespace, name: className });
  if (look.kind === "unserved") throw new CommandFailure("the API server serves no secretproviderclasses; apply manifests/crds first");
  if (look.kind === "unseen") return { ...facts, state: "unknown", message: look.why };
  if (look.kind === "absent")
    return { ...facts, snapshot, state: "missing", message: `not there; generation ${snapshot.generation} was kept` };
  const live = look.value;
  if (canonical(contentOf(live)) === canonical(contentOf(restoredClass(snapshot)))) {
    return { ...facts, snapshot, live, state: "same", message: "there, as the snapshot has it" };
  }
  return { ...facts, snapshot, live, state: "differs", message: "there, and another than the snapshot", diff: diffOf(live, snapshot) };
}

/** What a snapshot says of a class. */
export function contentOf({ apiVersion, kind, metadata, spec }: SecretProviderClass) {
  const { namespace, name, labels = {}, annotations = {} } = metadata;
  return { apiVersion, kind, metadata: { namespace, name, labels, annotations }, spec };
}

function diffOf(live: SecretProviderClass, snapshot: ClassSnapshot): string {
  const [before, after] = [contentOf(live), contentOf(restoredClass(snapshot))].map((content) => toYaml(sorted(content)));
  return unifiedDiff(before ?? "", after ?? "", { name: `${snapshot.namespace}/${snapshot.name}`, hasColour: false });
}

/** Keys in one order, so that only content makes a difference. */
function sorted(content: object): object {
  return JSON.parse(canonical(content)) as object; // Canonical text of an object is an object.
}

/** What is shown of a candidate. */
export function toldOf(candidate: Candidate): Restorable {
  const { namespace, name, revision, taken, state, message, diff } = candidate;
  return { namespace, name, revision, taken, state, message, ...(diff === undefined ? {} : { diff }) };
}
