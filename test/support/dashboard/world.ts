import { type KubeObject, RESOURCES } from "../../../src/domain/kubernetes.ts";
import { type ControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { kubeAccess } from "../cluster/kube-access.ts";
import { installDefinitions } from "../cluster/shipped-manifests.ts";
import { eventually } from "../time/eventually.ts";
import { nextSecond } from "../time/wall-clock.ts";
import {
  aLease,
  aMirroredSecret,
  aMountingPod,
  anEvent,
  aPodStatus,
  aStatus,
  aSyncedClass,
  DAY,
  MINUTE,
  NEW,
  OLD,
  type Place,
  runningStatus,
  type Said,
  writer,
} from "./objects.ts";

export const VALUE = "canary-value-4f9c2d7e-shall-not-be-seen";

export interface DashboardWorld {
  readonly plane: ControlPlane;
  readonly write: ReturnType<typeof writer>["write"];
  /** Writes the class's status as the worker would. */
  say(place: Place, said: Said): Promise<void>;
  /** Creates a class, its status and its Secret. */
  addClass(place: Place, said?: Said): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster with objects for every view. */
export async function startDashboardWorld(): Promise<DashboardWorld> {
  const plane = await startControlPlane();
  await installDefinitions(plane);
  const access = kubeAccess(plane.kubeconfigPath);
  const { write, writeStatus } = writer(access.client);
  const say = async (place: Place, said: Said): Promise<void> =>
    void (await writeStatus(RESOURCES.secretProviderClassSyncs, aStatus(place, said)));
  const addClass = async (place: Place, said: Said = {}): Promise<void> => {
    await write(RESOURCES.secretProviderClasses, aSyncedClass(place));
    await write(RESOURCES.secrets, aMirroredSecret(place, VALUE));
    await say(place, said);
  };
  for (const namespace of ["keyvault-injector", "shop", "billing"]) await plane.kubectl(["create", "namespace", namespace]);
  for (const namespace of ["shop", "billing"])
    await eventually(() => plane.kubectl(["get", "serviceaccount", "default", "-n", namespace]), { what: "the default ServiceAccount" });
  await seed({ write, writeStatus, addClass });
  return {
    plane,
    write,
    say,
    addClass,
    stop: async () => {
      await access.config.close();
      await plane.stop();
    },
  };
}

type Seeding = ReturnType<typeof writer> & Pick<DashboardWorld, "addClass">;

export const FORBIDDEN = "the identity is not allowed to get secrets of the vault (ForbiddenByRbac); assign it Key Vault Secrets User";

async function seed({ write, writeStatus, addClass }: Seeding): Promise<void> {
  await write(RESOURCES.leases, aLease());
  const web = { namespace: "shop", name: "web" };
  await addClass(web, { since: -20 * MINUTE, expires: 10 * DAY });
  await addClass({ namespace: "shop", name: "queue" }, { reason: "Forbidden", message: FORBIDDEN });
  await addClass({ namespace: "billing", name: "ledger" }, { expires: -DAY });
  await addClass({ namespace: "billing", name: "mail" }, { reason: "Throttled", message: "the vault is throttling requests (429)" });
  await addClass(
    { namespace: "billing", name: "report" },
    { rotated: { reason: "RolloutFailed", message: "Deployment report is not ready after its restart" } },
  );
  for (const [name, version] of [
    ["web-old", OLD],
    ["web-new", NEW],
  ] as const) {
    await nextSecond();
    const pod = { namespace: "shop", name };
    await write(RESOURCES.pods, aMountingPod(pod, "web"));
    await writeStatus(RESOURCES.pods, { ...aMountingPod(pod, "web"), status: runningStatus() } as KubeObject);
    await write(RESOURCES.secretProviderClassPodStatuses, aPodStatus(pod, "web", version));
  }
  const restarted = { kind: "Deployment", reason: "Restarted", message: "restarted: the versions in web changed", type: "Normal" } as const;
  await write(RESOURCES.events, anEvent(web, restarted));
  const repaired = {
    reason: "SecretRepaired",
    message: "Secret web was edited by kubectl-edit; it is again as the class and the vault want it",
  };
  await write(RESOURCES.events, anEvent(web, repaired));
}
