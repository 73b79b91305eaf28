DELETE FROM tallies WHERE start <= ?1
