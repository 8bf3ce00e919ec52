import type { Problem } from "../bindings/Problem";

/** The answer of a station that does not do it. */
export function refuse(problem: Problem): Promise<never> {
  // The shell rejects with a problem, which is a value of the station and no JavaScript error.
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  return Promise.reject(problem);
}

export const noSession: Problem = {
  code: "no-session",
  sentence: "Nobody is signed in.",
  remedy: ["Sign in."],
};

export const notYours: Problem = {
  code: "role",
  sentence: "Nobody in these roles may do this.",
  remedy: ["Call the supervisor."],
};
