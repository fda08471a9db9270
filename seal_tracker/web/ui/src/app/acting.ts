// One deed of a form: sent, and what the service said against it kept until the next.
import { useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { useRoom } from "./context";

export interface Acting {
  busy: boolean;
  failed: string;
  /** True where it was done. */
  act: (deed: () => Promise<unknown>) => Promise<boolean>;
}

export function useActing(): Acting {
  const { words } = useRoom().reader;
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const act = async (deed: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setFailed("");
    try {
      await deed();
      return true;
    } catch (error) {
      setFailed(error instanceof ApiError && error.status ? (error.status === 412 ? words.changedMeanwhile : error.message) : words.signIn.unreachable);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, failed, act };
}
