import { INJECTOR_NAMESPACE } from "../../e2e/support/install.ts";
import { isDamagedIn } from "../../support/component-damage/cluster.ts";
import type { Reports } from "../../support/component-damage/run.ts";
import { samplesOf } from "../../support/worker/metric-samples.ts";
import type { InstallWorld } from "./install-world.ts";

/** Reads from the worker's metrics which components are damaged and not healed. */
export function componentReports({ node }: InstallWorld): Reports {
  const metrics = async (): Promise<string> => {
    const pods = await node.kubectl([
      "get",
      "pods",
      `--namespace=${INJECTOR_NAMESPACE}`,
      "--selector=app.kubernetes.io/component=sync",
      "--field-selector=status.phase=Running",
      "--output=jsonpath={.items[*].metadata.name}",
    ]);
    // Only the leader checks components, and either replica may lead. A pod that is ending does not answer.
    const answers = await Promise.allSettled(
      pods
        .split(" ")
        .map((pod) => node.kubectl(["get", "--raw", `/api/v1/namespaces/${INJECTOR_NAMESPACE}/pods/${pod}:9090/proxy/metrics`])),
    );
    const texts = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    if (texts.length === 0)
      throw new Error(`no worker of ${pods} answers: ${String(answers[0]?.status === "rejected" && answers[0].reason)}`);
    // Without a leader, an empty report proves nothing.
    if (!texts.some((text) => samplesOf(text).value("leader") === 1)) throw new Error(`none of the workers ${pods} leads`);
    return texts.join("\n");
  };
  return {
    isReported: async (target) => isDamagedIn(await metrics(), target),
  };
}
