/** Faults of the CSI driver on the nodes, and of its records. */
import { deleteDefinition } from "./cluster.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

const RECORDS_CRD = "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io";

export const driverFaults: readonly FaultKind[] = [
  {
    name: "the driver is away",
    longestMs: 30 * MINUTE,
    begin: ({ driver }) => {
      driver.isAway = true;
      return () => {
        driver.isAway = false;
      };
    },
  },
  {
    name: "the driver looks seldom",
    longestMs: 60 * MINUTE,
    begin: ({ driver }, random) => {
      driver.lag = random.between(2, 6);
      return () => {
        driver.lag = 1;
      };
    },
  },
  {
    name: "the CRD of the driver's records is deleted",
    longestMs: 0,
    begin: ({ cluster }) => {
      deleteDefinition(cluster, RECORDS_CRD);
      return undefined;
    },
  },
];
