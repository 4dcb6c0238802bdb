import type { Plan } from "./operations.ts";

/**
 * Leaves out bursts while the plan still fails, beginning with the last, until nothing can be removed or the time is over. Every attempt
 * runs on the real API server, so there are few.
 */
export async function smallestPlan(plan: Plan, fails: (plan: Plan) => Promise<boolean>, isOver: () => boolean): Promise<Plan> {
  let smallest = plan;
  for (let size = Math.ceil(plan.bursts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = smallest.bursts.length - 1 - size; start >= 0; start -= size) {
      if (isOver()) return smallest;
      const shorter = { ...smallest, bursts: smallest.bursts.toSpliced(start, size) };
      if (await fails(shorter)) smallest = shorter;
    }
  }
  return smallest;
}
