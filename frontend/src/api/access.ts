/** The partner's people and keys; for admins only. */
import { request } from "./http";
import type {
  ApiKey,
  ApiKeyPage,
  Id,
  LinkAnswer,
  NewKeyAnswer,
  Person,
  PersonPage,
  PersonStatus,
  Role,
  Scope,
} from "./types";

/** Everything under this key changes when people or keys do. */
export const accessKey = ["access"] as const;
const people = "/api/partners/me/users";
const keys = "/api/partners/me/keys";

export interface PageQuery {
  limit: number;
  cursor: string | null;
}

export const peopleKey = (query: PageQuery) => [...accessKey, "people", query] as const;
export const keysKey = (query: PageQuery) => [...accessKey, "keys", query] as const;

export function listPeople(query: PageQuery, signal?: AbortSignal): Promise<PersonPage> {
  return request(people, { query: { ...query }, signal });
}

export interface Invitation {
  email: string;
  role: Role;
  display_name?: string;
}

export function invitePerson(body: Invitation, idempotencyKey: string): Promise<LinkAnswer> {
  return request(people, { method: "POST", body, idempotencyKey });
}

export interface PersonChange {
  role?: Role;
  display_name?: string;
  status?: Exclude<PersonStatus, "invited">;
}

export function changePerson(
  id: Id,
  body: PersonChange,
  idempotencyKey: string,
): Promise<{ user: Person }> {
  return request(`${people}/${encodeURIComponent(id)}`, { method: "PATCH", body, idempotencyKey });
}

export function makePasswordLink(id: Id, idempotencyKey: string): Promise<LinkAnswer> {
  const path = `${people}/${encodeURIComponent(id)}/password-reset`;
  return request(path, { method: "POST", body: {}, idempotencyKey });
}

export function listKeys(query: PageQuery, signal?: AbortSignal): Promise<ApiKeyPage> {
  return request(keys, { query: { ...query }, signal });
}

export interface NewKey {
  name: string;
  scopes: Scope[];
  expires_in_days: number;
  acts_as_me: boolean;
}

export function createKey(body: NewKey, idempotencyKey: string): Promise<NewKeyAnswer> {
  return request(keys, { method: "POST", body, idempotencyKey });
}

export interface Rotation {
  expires_in_days: number;
  overlap_hours: number;
}

export function rotateKey(id: Id, body: Rotation, idempotencyKey: string): Promise<NewKeyAnswer> {
  const path = `${keys}/${encodeURIComponent(id)}/rotate`;
  return request(path, { method: "POST", body, idempotencyKey });
}

export function revokeKey(id: Id, idempotencyKey: string): Promise<{ key: ApiKey }> {
  const path = `${keys}/${encodeURIComponent(id)}/revoke`;
  return request(path, { method: "POST", body: {}, idempotencyKey });
}
