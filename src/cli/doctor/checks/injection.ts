import { POD_ANNOTATIONS } from "../../../domain/annotations.ts";
import { readPod } from "../../../domain/injection/pod.ts";
import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../../../domain/kubernetes.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import { FINAL_CHECK } from "../../shared/resources.ts";
import type { Viewer } from "../../shared/viewer.ts";
import { lookAtEntry, narrowingsOf } from "../../shared/webhook-entry.ts";
import { type Check, type CheckResult, on } from "./check.ts";

const PROBE = "keyvault-injector-doctor";

/**
 * The API server itself asks the webhook, over the Service and with the caBundle: nothing else proves that it can. A dry run
 * stores nothing, and the webhook has no side effects.
 */
export const checkInjection: Check = async ({ cluster: { kube, namespace }, viewer, signal }) => {
  const { fine, fail, skip, skipped } = on.injection;
  try {
    const created = await kube.create<KubeObject>(RESOURCES.pods, probe(namespace), { fieldManager: PROBE, dryRun: true }, signal);
    const pod = readPod(created);
    const isInjected = pod.ok && pod.value.volumes.some(({ csi }) => csi?.driver === CSI_DRIVER && csi.secretProviderClass === PROBE);
    if (isInjected) return [fine(`a pod of namespace ${namespace} is injected`)];
    return [fail(`a pod of namespace ${namespace} passes untouched`, `${LOOK}; the policy ${FINAL_CHECK} is missing as well`)];
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    // The API server has no other word for the policy that refused.
    if (error.message.includes(FINAL_CHECK)) return [await unanswered(viewer)];
    if (error.code !== "Forbidden") return [skip(`not looked at: ${error.message}`, CHOOSE)];
    return [skipped({ kind: "unseen", why: `you may not create pods in ${namespace}, or it does not admit this one; ${CHOOSE}` })];
  }
};

/** Nobody answers whom nobody asks. */
async function unanswered(viewer: Viewer): Promise<CheckResult> {
  const entry = await lookAtEntry(viewer);
  const narrowings = entry.kind === "seen" ? narrowingsOf(entry.value) : [];
  if (narrowings.length === 0) return on.injection.fail("the API server gets no answer from the webhook", LOOK);
  const message = `the API server does not ask the webhook, whose configuration has other ${narrowings.join(", ")}`;
  return on.injection.fail(message, "see the check webhook");
}

const LOOK = "see the webhook's pods, its Service's endpoints, its caBundle, and network policies between API server and webhook";
const CHOOSE = "choose another namespace with -n";

/** Meets the strictest pod security standard, so that only our own parts can refuse it. */
function probe(namespace: string): KubeObject & { readonly spec: object } {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: PROBE,
      namespace,
      annotations: { [POD_ANNOTATIONS.inject]: "true", [POD_ANNOTATIONS.secretProviderClass]: PROBE },
    },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "probe",
          image: PROBE,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          resources: { requests: { cpu: "1m", memory: "1Mi" }, limits: { cpu: "1m", memory: "1Mi" } },
        },
      ],
    },
  };
}
