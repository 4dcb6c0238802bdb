/** Steps that remain after `uninstall --prepare`. They depend on how the project was installed, which the worker's Deployment shows. */
import { NODE_NAMESPACE } from "../../domain/healing/components.ts";
import { type KubeObject, qualifiedPlural, RESOURCES } from "../../domain/kubernetes.ts";
import { shell } from "../../domain/shell-words.ts";

type InstallWay =
  | { readonly kind: "helm"; readonly release: string }
  | { readonly kind: "git"; readonly tool: string }
  | { readonly kind: "manifests" }
  /** The worker's Deployment does not exist. */
  | { readonly kind: "unknown" };

const RELEASE = "meta.helm.sh/release-name";
const FLUX = ["helm.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/name"];
const ARGO_CD = "argocd.argoproj.io/tracking-id";

/** A GitOps tool that uses Helm also leaves Helm's annotations, but would undo a removal with Helm. */
function installWay(worker: KubeObject | undefined): InstallWay {
  if (worker === undefined) return { kind: "unknown" };
  const { labels = {}, annotations = {} } = worker.metadata;
  if (FLUX.some((label) => label in labels)) return { kind: "git", tool: "Flux" };
  if (ARGO_CD in annotations) return { kind: "git", tool: "Argo CD" };
  const { [RELEASE]: release } = annotations;
  return release === undefined ? { kind: "manifests" } : { kind: "helm", release };
}

interface InstallSigns {
  readonly worker: KubeObject | undefined;
  readonly namespace: string;
  readonly overlay: Overlay;
}

/** Overlay of the injection mode. */
export interface Overlay {
  readonly name: "default" | "policy";
  /** Why the mode is unknown, so that the other overlay may have been applied; undefined if it is known. */
  readonly unread: string | undefined;
}

/** Returns the commands that remove the install, what they keep, and how to remove that as well. */
export function nextSteps({ worker, namespace, overlay }: InstallSigns): readonly string[] {
  const way = installWay(worker);
  return [...removal(way, { namespace, overlay }), "", ...rest(way)];
}

const ALSO_REMOVED = "also removes the CSI driver and the Azure provider, if the chart installed them";
const WITHOUT_THEM = "Without the driver, pods that mount a class do not start, and mounts of running pods are not cleaned up.";

function removal(way: InstallWay, { namespace, overlay }: Omit<InstallSigns, "worker">): readonly string[] {
  const manifests = [
    "  kubectl delete -f keyvault-injector-VERSION.yaml -l app.kubernetes.io/name=keyvault-injector --ignore-not-found",
    "      # for the single file of a release; without -l, it also deletes the CRDs, and with them every class",
    shell`  kubectl delete -k manifests/overlays/${overlay.name} --ignore-not-found    # for a checkout, or your own overlay`,
    ...(overlay.unread === undefined ? [] : [`      # or manifests/overlays/policy: ${overlay.unread}`]),
    "  remove it from Git, if a GitOps tool installed it",
  ];
  switch (way.kind) {
    case "helm":
      return ["Next:", shell`  helm uninstall ${way.release} --namespace ${namespace}`, `This ${ALSO_REMOVED}. ${WITHOUT_THEM}`];
    case "git":
      return [`Next: remove it from Git, so that ${way.tool} deletes it. ${WITHOUT_THEM}`];
    case "manifests":
      return ["Next, depending on what you applied:", ...manifests];
    case "unknown":
      return [
        "Next, depending on how you installed it:",
        `${shell`  helm uninstall RELEASE --namespace ${namespace}`}    # ${ALSO_REMOVED}`,
        ...manifests,
      ];
  }
}

const KEPT = "the CRDs, every SecretProviderClass, the synced Secrets, and their copies";
const NODE_SIDE = "csidrivers,daemonsets,serviceaccounts,clusterroles,clusterrolebindings";
const CRDS = [RESOURCES.secretProviderClasses, RESOURCES.secretProviderClassPodStatuses, RESOURCES.secretProviderClassSyncs].map(
  qualifiedPlural,
);

function keptBy(way: InstallWay): string {
  switch (way.kind) {
    case "helm":
      return KEPT;
    case "git":
      return `unless Git no longer contains them: ${KEPT}, the CSI driver, and the provider`;
    case "manifests":
      return `${KEPT}, and the CSI driver and the provider, unless your overlay contains them`;
    case "unknown":
      return `${KEPT}, and the CSI driver and the provider, unless the chart or your overlay contains them`;
  }
}

function rest(way: InstallWay): readonly string[] {
  const hasNodeSide = way.kind === "manifests" || way.kind === "unknown";
  return [
    `What remains: ${keptBy(way)}. To remove them as well:`,
    "  kubectl delete controllerrevisions -A -l keyvault-injector.dev/snapshot",
    "  kubectl delete secrets -A -l keyvault-injector.dev/managed=true    # pods that use them no longer start",
    "  kubectl delete secrets -A -l keyvault-injector.dev/copy=true    # pods that use them no longer start",
    ...(hasNodeSide
      ? [
          shell`  kubectl delete ${NODE_SIDE} -n ${NODE_NAMESPACE} -l app.kubernetes.io/part-of=keyvault-injector    # pods that mount a class no longer start`,
        ]
      : []),
    shell`  kubectl delete crds ${CRDS}    # deletes every class in the cluster, including those of other users of the driver`,
  ];
}
