-- A mail whose content is refused is told in ever smaller ones, until the notice that is to blame is alone.

ALTER TABLE notice ADD COLUMN together BIGINT NOT NULL DEFAULT 100; -- in one mail with it at most, itself counted
