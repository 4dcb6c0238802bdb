import { RESOURCES, type Secret } from "../../../src/domain/kubernetes.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { kubeAccess } from "../../support/cluster/kube-access.ts";

export interface SecretState {
  readonly uid: string;
  /** Values in base64, by key. */
  readonly data: Readonly<Record<string, string>>;
}

/** History of a namespace's Secrets from a watch, with all their states. */
export interface SecretHistory {
  /** Number of events of the watched Secrets so far. */
  readonly events: number;
  /** Moments at which a Secret was missing, was another object, or lacked one of its original keys. Empty if there were none. */
  readonly gaps: readonly string[];
  stop(): Promise<void>;
}

/** Follows the Secrets. Resolves after the watch has shown their current state. */
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
