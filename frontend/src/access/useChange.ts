import { useMutation, useQueryClient } from "@tanstack/react-query";
import { accessKey } from "../api/access";
import { useAttempt } from "../lib/idempotency";

/**
 * One change of people or keys: sent under a key of its own, and the lists are asked for again once
 * it is there, or when it was refused because they had changed.
 */
export function useChange<Body, Answer>(
  send: (body: Body, idempotencyKey: string) => Promise<Answer>,
  onSuccess: (answer: Answer) => void,
  onError?: (error: Error) => void,
) {
  const client = useQueryClient();
  const attempt = useAttempt();
  return useMutation<Answer, Error, Body>({
    mutationFn: (body) => attempt.run(body, (key) => send(body, key)),
    onSuccess,
    ...(onError ? { onError } : {}),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: accessKey });
    },
  });
}
