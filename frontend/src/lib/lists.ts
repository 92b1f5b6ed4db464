/** How every list asks: rows to a page, what is shown meanwhile, and what to offer as sites. */
import { keepPreviousData, useQuery, type QueryKey } from "@tanstack/react-query";
import { listSites, sitesKey } from "../api/sites";
import { usePollInterval } from "./polling";

export const pageSize = 50;

/** A list that refreshes by itself; while another page or filter loads, the old rows stay. */
export function useList<T>(key: QueryKey, load: (signal: AbortSignal) => Promise<T>) {
  return useQuery<T>({
    queryKey: key,
    queryFn: ({ signal }) => load(signal),
    placeholderData: keepPreviousData,
    refetchInterval: usePollInterval(),
  });
}

/** Sites to choose from, by name as the server lists them; the chosen one is among them even when the list could not be loaded. */
export function useSiteChoices(chosen: string | null): { value: string; label: string }[] {
  const { data } = useQuery({
    queryKey: sitesKey,
    queryFn: ({ signal }) => listSites(signal),
    staleTime: 60_000,
  });
  const choices = (data ?? []).map((site) => ({ value: site.site_id, label: site.clinic_name }));
  if (chosen && !choices.some((c) => c.value === chosen)) {
    choices.unshift({ value: chosen, label: chosen });
  }
  return choices;
}
