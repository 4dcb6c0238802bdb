import { RESOURCES, type Secret } from "../../../src/domain/kubernetes.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { kubeAccess } from "../../support/cluster/kube-access.ts";

/** A Secret at one moment. */
export interface SecretState {
  readonly uid: string;
  /** In base64, by key. */
  readonly data: Readonly<Record<string, string>>;
}

/** What became of a namespace's Secrets, by a watch: each of their states, and none in between. */
export interface SecretHistory {
  /** Events so far of the Secrets that are followed. */
  readonly events: number;
  /** When a Secret was missing or another object, or lacked a key that it had at the beginning; nothing where there was no such moment. */
  readonly gaps: readonly string[];
  stop(): Promise<void>;
}

/** Resolves once the Secrets have been seen as they are. */
export async function followSecrets(
  plane: ControlPlane,
  namespace: string,
  first: ReadonlyMap<string, SecretState>,
): Promise<SecretHistory> {
  const ended = new AbortController();
  const access = kubeAccess(plane.kubeconfigPath);
  const gaps: string[] = [];
  let events = 0;
  const reflector = access.watcher().reflect<SecretState>(
    {
      resource: RESOURCES.secrets,
      namespace,
      project: ({ metadata: { uid = "" }, data = {} }: Secret) => ({ uid, data }),
      onChange: ({ name }, { current }) => {
        const before = first.get(name);
        if (before === undefined) return;
        events += 1;
        gaps.push(...gapsOf(before, current).map((gap) => `Secret ${name} ${gap}`));
      },
    },
    ended.signal,
  );
  await reflector.synced(AbortSignal.timeout(60_000));
  return {
    get events() {
      return events;
    },
    gaps,
    stop: async () => {
      ended.abort();
      await access.config.close();
    },
  };
}

function gapsOf(before: SecretState, current: SecretState | undefined): readonly string[] {
  if (current === undefined) return ["was missing"];
  const lacking = Object.keys(before.data).filter((key) => current.data[key] === undefined);
  return [...(current.uid === before.uid ? [] : ["was another object"]), ...lacking.map((key) => `lacked the key ${key}`)];
}
