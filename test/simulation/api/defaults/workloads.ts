import { objectAt, stringAt } from "../json.ts";
import { type Defaulting, setting, settingIn, within } from "./setting.ts";

const rolling =
  (strategy: string, defaults: Parameters<typeof setting>[0]): Defaulting =>
  (spec) => {
    const typed = settingIn(strategy, { type: "RollingUpdate" })(spec);
    const isRolling = stringAt(objectAt(typed, strategy), "type") === "RollingUpdate";
    return isRolling ? within(strategy, settingIn("rollingUpdate", defaults))(typed) : typed;
  };

/** Creates the rolling update of a StatefulSet only if the strategy has no type. */
const statefulStrategy: Defaulting = (spec) => {
  const strategy = objectAt(spec, "updateStrategy");
  if (strategy["type"] === undefined) return rolling("updateStrategy", { partition: 0 })(spec);
  const isSaid = strategy["type"] === "RollingUpdate" && strategy["rollingUpdate"] !== undefined;
  return isSaid ? within("updateStrategy", settingIn("rollingUpdate", { partition: 0 }))(spec) : spec;
};

export const WORKLOAD_DEFAULTS: Readonly<Record<string, Defaulting>> = {
  "apps.DeploymentSpec": (spec) =>
    setting({ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })(
      rolling("strategy", { maxUnavailable: "25%", maxSurge: "25%" })(spec),
    ),
  "apps.DaemonSetSpec": (spec) =>
    setting({ revisionHistoryLimit: 10 })(rolling("updateStrategy", { maxUnavailable: 1, maxSurge: 0 })(spec)),
  "apps.StatefulSetSpec": (spec) =>
    settingIn("persistentVolumeClaimRetentionPolicy", { whenDeleted: "Retain", whenScaled: "Retain" })(
      setting({ podManagementPolicy: "OrderedReady", replicas: 1, revisionHistoryLimit: 10 })(statefulStrategy(spec)),
    ),
  "apps.ReplicaSetSpec": setting({ replicas: 1 }),
};
