import { WEBHOOK_CONFIGURATION } from "../../domain/certificates/names.ts";
import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { listed } from "../cluster.ts";
import { OWN_LABEL } from "../install.ts";
import { MORE_RESOURCES } from "../resources.ts";
import { type CheckResult, type DoctorContext, fail, fine, skipped } from "./check.ts";
import { POLICIES } from "./check-install.ts";
import { PROVIDER_IMAGE } from "./check-nodes.ts";
import { imagesOf, type WorkloadObject } from "./settings-in-force.ts";

type Looking = Pick<DoctorContext, "viewer" | "namespace">;

/** One finding for all that an install would bring. The CRDs are no sign of one: the driver's come with other installs, and ours outlive an uninstall. */
export async function checkInstalled(context: Looking): Promise<readonly CheckResult[]> {
  const { viewer } = context;
  const configuration = await viewer.object<KubeObject>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  const deployments = await viewer.all<KubeObject>(MORE_RESOURCES.deployments, { labelSelector: OWN_LABEL });
  const policies = await viewer.all<KubeObject>(MORE_RESOURCES.policies);
  const isThere =
    configuration.kind === "seen" ||
    listed(deployments).length > 0 ||
    listed(policies).some(({ metadata }) => Object.hasOwn(POLICIES, metadata.name));
  if (isThere) return [fine("install", "an install is in the cluster")];
  const unseen = [configuration, deployments, policies].find((look) => look.kind === "unseen");
  if (unseen !== undefined) return [skipped("install", unseen)];
  return [fail("install", "keyvault-injector is not installed in this cluster", await installAdvice(context))];
}

/** By what its check has found: whether there is an install, or nobody knows. */
export function isInstalled(findings: readonly CheckResult[]): boolean {
  return !findings.some(({ check, state }) => check === "install" && state === "FAIL");
}

async function installAdvice({ viewer, namespace }: Looking): Promise<string> {
  const driver = await viewer.object<KubeObject>(MORE_RESOURCES.csiDrivers, { name: CSI_DRIVER });
  const daemonSets = listed(await viewer.all<WorkloadObject>(MORE_RESOURCES.daemonSets));
  const hasProvider = daemonSets.some((daemonSet) => imagesOf(daemonSet).some((image) => PROVIDER_IMAGE.test(image)));
  const command = [
    `helm install akvsecretsprovider manifests/helm/keyvault-injector --namespace ${namespace} --create-namespace`,
    "--set image.repository=REGISTRY/keyvault-injector",
    // What the cluster has already.
    ...(driver.kind === "seen" ? ["--set secrets-store-csi-driver.install=false"] : []),
    ...(hasProvider ? ["--set linux.enabled=false"] : []),
  ];
  const plan =
    driver.kind === "seen" ? "; before that, keyvault-injector doctor plan says what it would do with the classes that are there" : "";
  return `${command.join(" ")} (docs/how-to/install.md says how to build the image, and how kubectl installs)${plan}`;
}
