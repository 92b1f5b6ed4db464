import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// FLYWHEEL_API: where `npm run dev` finds a running instance, for working on the dashboard.
declare const process: { env: Record<string, string | undefined> };

export default defineConfig({
  plugins: [react()],
  build: {
    target: ["chrome125", "firefox128", "safari17.5"],
    // The page's policy allows no inline code, and every supported browser preloads modules itself.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  server: {
    proxy: { "/api": process.env["FLYWHEEL_API"] ?? "http://127.0.0.1:8080" },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
